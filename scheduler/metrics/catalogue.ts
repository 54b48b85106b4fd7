/** A metric as scrapers see it. */
export interface MetricFamily {
  /** Without `_total`: that is put behind counters. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Unit that the name ends with; left out = a plain number. */
  readonly unit?: 'seconds' | 'bytes';
  readonly labels: readonly string[];
  readonly help: string;
}

const REGISTRATION = ['function', 'registration'] as const;

function counter(name: string, labels: readonly string[], help: string): MetricFamily {
  return { name, type: 'counter', labels, help };
}

function gauge(name: string, labels: readonly string[], help: string): MetricFamily {
  return { name, type: 'gauge', labels, help };
}

function seconds(family: MetricFamily): MetricFamily {
  return { ...family, unit: 'seconds' };
}

function bytes(family: MetricFamily): MetricFamily {
  return { ...family, unit: 'bytes' };
}

/** What this node says about itself: every node has numbers of its own, which may be added. Counters begin with the process. */
export const NODE_FAMILIES = {
  info: gauge('regears_node_info', ['node', 'version'], 'Always 1; names the node and the version of the platform'),
  ready: gauge('regears_node_ready', [], '1 when every part of the node is ready for work, as /readyz says'),
  part: gauge(
    'regears_node_part_ready',
    ['part'],
    '1 when the part is ready: redis, slot, registry, sandboxes, readers',
  ),
  redisUp: gauge('regears_redis_up', [], '1 when Redis has answered this scrape in time'),
  readers: gauge('regears_readers', [], 'Streams that this node reads'),
  silent: gauge(
    'regears_readers_silent',
    [],
    'Streams that should be read on this node, and that nothing has read for too long',
  ),
  registrations: gauge('regears_registrations', ['state'], 'Registrations in force by state'),
  entries: counter(
    'regears_entries',
    [...REGISTRATION, 'end'],
    'Entries settled by end: done, filtered, dead, expired',
  ),
  executions: counter('regears_executions', REGISTRATION, 'Executions that have ended, well or not'),
  errors: counter('regears_execution_errors', REGISTRATION, 'Executions that failed'),
  retries: counter('regears_retries', REGISTRATION, 'Entries put back to be tried again'),
  duration: seconds({
    name: 'regears_execution_duration_seconds',
    type: 'histogram',
    labels: REGISTRATION,
    help: 'Time of executions; each counts as long as the batch in which it ran',
  }),
  inWork: gauge('regears_entries_in_work', REGISTRATION, 'Entries in sandboxes of this node'),
  waiting: gauge('regears_retries_waiting', REGISTRATION, 'Entries that wait on this node for a retry'),
  processes: gauge('regears_sandbox_processes', ['role'], 'Sandbox processes: shared, alone (one version only), spare'),
  resident: bytes(
    gauge('regears_sandbox_resident_bytes', ['role'], 'Resident memory of the sandbox processes together'),
  ),
  largest: bytes(gauge('regears_sandbox_largest_resident_bytes', [], 'Resident memory of the largest sandbox process')),
  limit: bytes(gauge('regears_sandbox_memory_limit_bytes', [], 'What one sandbox process may take: sandbox-memory')),
  isolates: gauge('regears_isolates', [], 'Versions loaded in sandboxes'),
  heap: bytes(gauge('regears_function_heap_bytes', ['function'], 'Heap and buffers of a function in the sandboxes')),
  deaths: counter('regears_sandbox_deaths', ['cause'], 'Sandbox processes that ended unasked, by cause'),
  crashes: counter('regears_sandbox_crashes', ['function'], 'Sandbox processes that died over work of a function'),
  quarantines: counter(
    'regears_quarantines',
    ['verdict'],
    'Versions that were put alone, or stopped, for killing sandboxes',
  ),
  spansExported: counter('regears_spans_exported', [], 'Spans that the collector has taken'),
  spansDropped: counter('regears_spans_dropped', ['reason'], 'Spans lost: the queue was full, or the export failed'),
  loopDelay: seconds(
    gauge('regears_event_loop_delay_seconds', [], 'Delay of the event loop in the last second, 99th percentile'),
  ),
  cpu: seconds(counter('process_cpu_seconds', [], 'Processor time of the node, without its sandboxes')),
  started: seconds(gauge('process_start_time_seconds', [], 'When the node began, since the epoch')),
  nodeResident: bytes(gauge('process_resident_memory_bytes', [], 'Resident memory of the node, without its sandboxes')),
  nodeHeap: bytes(gauge('nodejs_heap_size_used_bytes', [], 'Heap that the node uses')),
} as const satisfies Readonly<Record<string, MetricFamily>>;

/** What one node has measured for all: the same from every node, so never to be added over nodes. Left out while Redis is away. */
export const FLEET_FAMILIES = {
  nodes: gauge('regears_fleet_nodes', [], 'Living nodes'),
  measured: seconds(
    gauge('regears_fleet_measured_timestamp_seconds', [], 'When backlog and lag were measured, since the epoch'),
  ),
  backlog: gauge(
    'regears_fleet_backlog_entries',
    REGISTRATION,
    'What nodes could work on now: unread + pending + due retries',
  ),
  unread: gauge(
    'regears_fleet_unread_entries',
    REGISTRATION,
    'Entries that nobody has read; never less than there are',
  ),
  pending: gauge(
    'regears_fleet_pending_entries',
    REGISTRATION,
    'Entries read and in work, without those that wait for a retry',
  ),
  dueRetries: gauge('regears_fleet_due_retries', REGISTRATION, 'Entries whose retry is due'),
  waitingRetries: gauge('regears_fleet_waiting_retries', REGISTRATION, 'Entries whose retry is not due yet'),
  lagAge: seconds(
    gauge('regears_fleet_lag_age_seconds', REGISTRATION, 'Age of the oldest entry without an end; 0 = there is none'),
  ),
  deadLetters: gauge('regears_fleet_dead_letters', [], 'Dead letters kept'),
} as const satisfies Readonly<Record<string, MetricFamily>>;

/** Its name as it stands in a query. */
export function queryName({ name, type }: MetricFamily): string {
  return type === 'counter' ? `${name}_total` : name;
}

/** The tables of docs/monitoring.md. */
export function metricTable(families: Readonly<Record<string, MetricFamily>>): string {
  const rows = Object.values(families).map((family) => {
    const labels = family.labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${queryName(family)}\` | ${family.type} | ${labels} | ${family.help} |`;
  });
  return ['| name | type | labels | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
