import { type ActiveRegistration, type ServerFacts, utf8FromLatin1 } from '#functions';
import type { NodeRecord } from '../../fleet/fleet.ts';
import type { StreamGroup } from './stream-groups.ts';

/** One finding of `RG.DOCTOR`. */
export interface Check {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'bad';
  readonly finding: string;
  /** What to do; null when nothing is to be done. */
  readonly advice: string | null;
}

const CLOCK_WARNING_MS = 500;
const CLOCK_BAD_MS = 5_000;
const OLD_PENDING_MS = 60_000;
const GREAT_LAG = 100_000;
const MOST_NAMED = 5;

function ok(check: string, finding: string): Check {
  return { check, state: 'ok', finding, advice: null };
}

export function checkVersion({ product, version, topology }: ServerFacts): Check {
  const name = product === 'valkey' ? 'Valkey' : 'Redis';
  const finding = `${name} ${version}, ${topology}`;
  if (product === 'valkey' || Number.parseInt(version, 10) >= 7) return ok('server', finding);
  const advice = 'Use Redis 7 or later, or Valkey: XAUTOCLAIM and functions of ACL DRYRUN are missing here.';
  return { check: 'server', state: 'bad', finding, advice };
}

export function checkEviction({ evictionPolicy }: ServerFacts): Check {
  const check = 'eviction policy';
  if (evictionPolicy === null) return unknown(check, 'maxmemory-policy', 'Make sure that it is noeviction.');
  if (evictionPolicy === 'noeviction') return ok(check, 'noeviction');
  const advice = 'CONFIG SET maxmemory-policy noeviction: otherwise streams and groups vanish when memory is short.';
  return { check, state: 'bad', finding: evictionPolicy, advice };
}

export function checkPersistence({ aofEnabled, rdbEnabled }: ServerFacts): Check {
  const check = 'persistence';
  if (aofEnabled === true) return ok(check, 'append-only file');
  if (aofEnabled === null && rdbEnabled === null) return unknown(check, 'appendonly', 'Make sure that it is yes.');
  const advice = 'CONFIG SET appendonly yes: a crash of Redis then loses at most a second.';
  if (rdbEnabled === true) return { check, state: 'warning', finding: 'snapshots only', advice };
  return { check, state: 'bad', finding: 'none: functions and data are gone after a restart of Redis', advice };
}

/** @param wantsKeys true when registrations on keys are in force. */
export function checkNotifications({ notifications }: ServerFacts, wantsKeys = false): Check {
  const check = 'keyspace notifications';
  const wanted = wantsKeys ? 'KEA' : 'Et';
  const seen = wantsKeys
    ? 'writes to keys that do not come through a door, and keys that expire, are then seen by registrations on keys.'
    : 'new streams and entries written elsewhere are then seen at once.';
  const advice = `CONFIG SET notify-keyspace-events ${wanted}: ${seen}`;
  if (notifications === null) return unknown(check, 'notify-keyspace-events', advice);
  const covers = /[KE]/.test(notifications) && (wantsKeys ? /A|(?=.*g)(?=.*\$)(?=.*x)/ : /[tA]/).test(notifications);
  if (covers) return ok(check, notifications);
  return { check, state: 'warning', finding: notifications === '' ? 'off' : notifications, advice };
}

export function checkClock(offsetMs: number): Check {
  const finding = `this node's clock is ${Math.abs(Math.round(offsetMs))} ms ${offsetMs < 0 ? 'behind' : 'ahead of'} Redis`;
  const distance = Math.abs(offsetMs);
  if (distance < CLOCK_WARNING_MS) return ok('clock', finding);
  const advice = 'Synchronise the clocks (NTP): entry ids, maxAge and the times shown follow them.';
  return { check: 'clock', state: distance < CLOCK_BAD_MS ? 'warning' : 'bad', finding, advice };
}

export function checkNodes(nodes: readonly NodeRecord[], newest: number): Check {
  const late = nodes.filter(({ revision }) => revision < newest).map(({ nodeId }) => nodeId);
  const finding = `${nodes.length} live, registry revision ${newest}`;
  if (late.length === 0) return ok('nodes', finding);
  const advice = `Look at the logs of ${late.join(', ')}: they have not applied the newest revision.`;
  return { check: 'nodes', state: 'warning', finding: `${finding}, ${late.length} behind`, advice };
}

export function checkRegistrations(registrations: readonly ActiveRegistration[], dead: number): Check {
  const check = 'registrations';
  const stopped = registrations.filter(({ state }) => state !== 'running');
  const finding = `${registrations.length} in force, ${stopped.length} stopped, ${dead} dead letters`;
  const broken = stopped.filter(({ state }) => state !== 'paused');
  if (stopped.length === 0 && dead === 0) return ok(check, finding);
  const why = stopped.slice(0, MOST_NAMED).map(({ spec, state, stateReason }) => {
    return `${spec.id} is ${state}${stateReason === null ? '' : ` (${stateReason})`}`;
  });
  const letters = dead > 0 ? ['RG.DEADLETTERS LIST shows the dead letters, REDRIVE runs them again'] : [];
  const resume = stopped.length > 0 ? ['RG.UNPAUSEREGISTRATIONS starts them again'] : [];
  const advice = [...why, ...resume, ...letters].join('; ');
  return { check, state: broken.length > 0 ? 'bad' : 'warning', finding, advice };
}

/** @param secrets of this node: functions that ask for some, and why functions do not run. */
export function checkSecrets(secrets: {
  readonly asking: number;
  readonly hasKey: boolean;
  readonly reasons: readonly Error[];
}): Check {
  const check = 'secrets';
  const key = secrets.hasKey ? 'this node has a key' : 'this node has no key to seal them with';
  const finding = `${secrets.asking === 1 ? '1 function asks' : `${secrets.asking} functions ask`} for secrets, ${key}`;
  const [first] = secrets.reasons;
  if (first === undefined) return ok(check, finding);
  const state = `${finding}; not running here: ${secrets.reasons.length}`;
  return { check, state: 'bad', finding: state, advice: `The first: ${first.message}` };
}

/** One line when all groups are well, else one for each that is not. */
export function checkGroups(groups: readonly StreamGroup[], isAlive: (consumer: string) => boolean): readonly Check[] {
  const findings = groups.map((group) => checkGroup(group, isAlive)).filter((check) => check !== null);
  return findings.length > 0 ? findings : [ok('consumer groups', `${groups.length} on all streams, none behind`)];
}

/** One line for each group of a registration that is gone, when entries wait in it that nobody will read. */
export function checkLeftBehind(groups: readonly StreamGroup[]): readonly Check[] {
  return groups.flatMap(({ registrationId, stream, unread, pending }) => {
    const waiting = (unread?.atMost ?? 0) + pending;
    if (waiting === 0) return [];
    const name = utf8FromLatin1(stream);
    return {
      check: `group ${registrationId} on ${name}`,
      state: 'warning',
      finding: `its registration is gone, ${waiting} entries wait in it and cannot be trimmed`,
      advice: `Load the function again to go on from there, or XGROUP DESTROY ${name} ${registrationId} gives them up.`,
    };
  });
}

function checkGroup(group: StreamGroup, isAlive: (consumer: string) => boolean): Check | null {
  const { registrationId, unread, pending, consumers } = group;
  const check = `group ${registrationId} on ${utf8FromLatin1(group.stream)}`;
  const orphaned = consumers.filter(({ name, pending: count }) => count > 0 && !isAlive(name));
  if (orphaned.length > 0) {
    const finding = `${orphaned.map(({ name }) => name).join(', ')} have entries pending and no living owner`;
    const advice = 'A living node takes them over within its heartbeat time-out; if this stays, look at its log.';
    return { check, state: 'warning', finding, advice };
  }
  const oldest = Math.max(0, ...consumers.map(({ pending: count, idleMs }) => (count > 0 ? idleMs : 0)));
  if (oldest > OLD_PENDING_MS) {
    const finding = `${pending} pending, the oldest consumer has been silent for ${Math.round(oldest / 1000)} s`;
    const advice = 'See RG.DUMPREGISTRATIONS for its state and last error, RG.LOGS for what it is doing.';
    return { check, state: 'warning', finding, advice };
  }
  if (unread === null || unread.atMost < GREAT_LAG) return null;
  const advice = 'Raise batch or maxInFlight of the registration, or start more nodes.';
  return {
    check,
    state: 'warning',
    finding: `${unread.exact ? '' : 'at most '}${unread.atMost} entries unread`,
    advice,
  };
}

function unknown(check: string, setting: string, advice: string): Check {
  return { check, state: 'warning', finding: `${setting} cannot be read here`, advice };
}
