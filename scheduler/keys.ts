/**
 * Keys of the scheduler. `<tag>` is `RedisAccess.tagOf(stream)`, so that what settles an entry shares a slot with its stream;
 * on one server it is always the same.
 *
 * | key | type | holds |
 * | --- | --- | --- |
 * | `<p>{fleet}:slot:<n>` | string, expires | heartbeat of the node in slot n (NodeRecord without what the key says, JSON, lease token first) |
 * | `<p>{fleet}:slots` | set | every slot number ever leased whose consumer may still have something pending |
 * | `<p>{fleet}:permits:<registration>` | hash, expires | `n<slot>:<token>` → executions in work on that node, those that wait, its turn |
 * | `<p>{fleet}:permits` | channel | a permit of the named registration is free and somebody waits for it |
 * | `<p>{fleet}:news` | channel | a revision was applied, a node came or went |
 * | `<p>{<tag>}:stats:<registration>` | hash | ends of entries, counted with the XACK: done, filtered, dead, expired, lost |
 * | `<p>{<tag>}:dead:<registration>` | stream, capped | dead letters |
 * | `<p>{<tag>}:position:<registration>` | hash | stream → last acknowledged id, to rebuild a group from |
 * | `<p>{<tag>}:lease:<registration>` | hash | stream → consumer that may read it in mode sync |
 * | `<p>{<tag>}:rate:<registration>` | hash, expires | tokens of a registration's rate limit, and when they were counted |
 * | `<p>{<tag>}:failures:<registration>` | hash, expires | `stream id` → last error of an entry that waits for a retry |
 * | `<p>{<tag>}:captured:<registration>` | stream | ticks and messages on their way to the registration, each until its end |
 * | `<p>{<tag>}:items:<registration>` | stream | items taken from lists of this slot, each until its end |
 * | `<p>{<tag>}:inbox:<registration>:<list>` | list | items taken from a list that are not in the stream yet |
 * | `<p>{<tag>}:schedule:<registration>` | hash | since when a schedule counts, its last tick, how many there were |
 * | `<p>{<tag>}:listener:<shard>` | string, expires | epoch of the node that hears key events of the shard |
 * | `<p>{<tag>}:credit:<event>:<key>` | string, expires | pairs what a door reports of a write with what is heard of it |
 * | `<p>{fleet}:answers:<node>` | channel | executions that a client of the node waits for have ended |
 * | `<p>{index}:tags:<registration>` | set | tags under which the registration has keys |
 * | `<p>{index}:streams:<registration>` | set | streams the registration has a group on |
 * | `<p>{index}:registrations` | set | registrations that have ever had keys, for dead letters of removed ones |
 * | `<p>{journal}:runs:<registration>` | hash | counters of runs |
 * | `<p>{journal}:log:<function>` | stream, capped | log lines |
 * | `<p>{journal}:logs` | set | functions that have a log |
 * | `<p>{journal}:cleared:<registration>` | hash | sums of stats at the last CLEARREGISTRATIONSSTATS, subtracted when shown |
 * | `<p>{journal}:flushed:<writer>` | string, expires | number of the writer's last flush, so that a repeated one does nothing |
 * | `<p>{journal}:log-clock` | string | newest id given to a log line, unique over all functions |
 * | `<p>{queue}` | BullMQ prefix | jobs of mode async |
 * | `<p>{queue}:replies:<node>` | stream, expires | replies of commands for the node that asked |
 * | `<p>{queue}:answered:<call>` | string, expires | a command's reply has been written, do not run it again |
 * | `<p>{executions}:counter` | string | number of the newest execution |
 * | `<p>{executions}:index` | sorted set | execution id, by number |
 * | `<p>{executions}:running` | set | executions without an end |
 * | `<p>{executions}:record:<id>` | hash, expires after the end | plan, status, attempts, progress and ends of stages |
 * | `<p>{executions}:artifact:<sha256>` | string, expires | what the stages of queued executions run (Artifact, JSON) |
 * | `<p>{executions}:registered:<registration>` | stream, capped, expires | what came of the registration's last executions (JSON) |
 * | `<p>{<tag>}:pieces:<name>` | list, expires | records on their way between shards, and results, as RESP arrays |
 * | `<p>{futures:<function>}:<id>` | string, expires | outcome of a future: nonce, then what the guest runtime wrote |
 * | `<p>{options}` | hash | options set with RG.CONFIGSET |
 * | `<p>{tokens}:tokens` | hash | bearer tokens of the HTTP door by id: name, role, expiry, hash of the secret (JSON) |
 * | `<p>{tokens}:used` | hash | when a token was last used, by id |
 * | `<p>{idempotency}:<hash>` | hash, expires | a call with an idempotency key: whose it is, and its answer |
 * | `<p>{figures}:node:<slot>` | string, expires | what the node in the slot says about itself (JSON) |
 * | `<p>{figures}:backlogs` | string, expires | what each registration has before it, measured by one node for all (JSON) |
 * | `<p>{figures}:samples:<slot>` | stream, capped, expires | what the node in the slot did in each of the last seconds |
 */
export interface SchedulerKeys {
  readonly prefix: string;
  readonly slots: string;
  readonly news: string;
  readonly permitNews: string;
  readonly registrationIndex: string;
  readonly logIndex: string;
  readonly queuePrefix: string;
  readonly logClock: string;
  readonly executionCounter: string;
  readonly executionIndex: string;
  readonly executionsRunning: string;
  readonly options: string;
  readonly tokens: string;
  readonly tokensUsed: string;
  readonly backlogs: string;
  slot(slot: number): string;
  permits(registrationId: string): string;
  stats(tag: string, registrationId: string): string;
  dead(tag: string, registrationId: string): string;
  position(tag: string, registrationId: string): string;
  lease(tag: string, registrationId: string): string;
  failures(tag: string, registrationId: string): string;
  rate(tag: string, registrationId: string): string;
  captured(tag: string, registrationId: string): string;
  items(tag: string, registrationId: string): string;
  inbox(tag: string, registrationId: string, list: string): string;
  schedule(tag: string, registrationId: string): string;
  listener(tag: string, shardId: string): string;
  credit(tag: string, event: string, key: string): string;
  answers(node: string): string;
  tags(registrationId: string): string;
  streams(registrationId: string): string;
  runs(registrationId: string): string;
  log(functionName: string): string;
  cleared(registrationId: string): string;
  flushed(writer: string): string;
  replies(node: string): string;
  answered(callId: string): string;
  execution(id: string): string;
  executionArtifact(sha256: string): string;
  registeredRuns(registrationId: string): string;
  pieces(tag: string, name: string): string;
  future(functionName: string, id: string): string;
  idempotency(hash: string): string;
  nodeFigures(slot: number): string;
  samples(slot: number): string;
}

/** @param prefix begin of every platform key, such as `rg:`. */
export function createSchedulerKeys(prefix: string): SchedulerKeys {
  return {
    prefix,
    slots: `${prefix}{fleet}:slots`,
    news: `${prefix}{fleet}:news`,
    permitNews: `${prefix}{fleet}:permits`,
    registrationIndex: `${prefix}{index}:registrations`,
    logIndex: `${prefix}{journal}:logs`,
    queuePrefix: `${prefix}{queue}`,
    logClock: `${prefix}{journal}:log-clock`,
    executionCounter: `${prefix}{executions}:counter`,
    executionIndex: `${prefix}{executions}:index`,
    executionsRunning: `${prefix}{executions}:running`,
    options: `${prefix}{options}`,
    tokens: `${prefix}{tokens}:tokens`,
    tokensUsed: `${prefix}{tokens}:used`,
    backlogs: `${prefix}{figures}:backlogs`,
    slot: (slot) => `${prefix}{fleet}:slot:${slot}`,
    permits: (id) => `${prefix}{fleet}:permits:${id}`,
    stats: (tag, id) => `${prefix}{${tag}}:stats:${id}`,
    dead: (tag, id) => `${prefix}{${tag}}:dead:${id}`,
    position: (tag, id) => `${prefix}{${tag}}:position:${id}`,
    lease: (tag, id) => `${prefix}{${tag}}:lease:${id}`,
    failures: (tag, id) => `${prefix}{${tag}}:failures:${id}`,
    rate: (tag, id) => `${prefix}{${tag}}:rate:${id}`,
    captured: (tag, id) => `${prefix}{${tag}}:captured:${id}`,
    items: (tag, id) => `${prefix}{${tag}}:items:${id}`,
    inbox: (tag, id, list) => `${prefix}{${tag}}:inbox:${id}:${list}`,
    schedule: (tag, id) => `${prefix}{${tag}}:schedule:${id}`,
    listener: (tag, shardId) => `${prefix}{${tag}}:listener:${shardId}`,
    credit: (tag, event, key) => `${prefix}{${tag}}:credit:${event}:${key}`,
    answers: (node) => `${prefix}{fleet}:answers:${node}`,
    tags: (id) => `${prefix}{index}:tags:${id}`,
    streams: (id) => `${prefix}{index}:streams:${id}`,
    runs: (id) => `${prefix}{journal}:runs:${id}`,
    log: (functionName) => `${prefix}{journal}:log:${functionName}`,
    cleared: (id) => `${prefix}{journal}:cleared:${id}`,
    flushed: (writer) => `${prefix}{journal}:flushed:${writer}`,
    replies: (node) => `${prefix}{queue}:replies:${node}`,
    answered: (callId) => `${prefix}{queue}:answered:${callId}`,
    execution: (id) => `${prefix}{executions}:record:${id}`,
    registeredRuns: (id) => `${prefix}{executions}:registered:${id}`,
    executionArtifact: (sha256) => `${prefix}{executions}:artifact:${sha256}`,
    pieces: (tag, name) => `${prefix}{${tag}}:pieces:${name}`,
    future: (functionName, id) => `${prefix}{futures:${functionName}}:${id}`,
    idempotency: (hash) => `${prefix}{idempotency}:${hash}`,
    nodeFigures: (slot) => `${prefix}{figures}:node:${slot}`,
    samples: (slot) => `${prefix}{figures}:samples:${slot}`,
  };
}
