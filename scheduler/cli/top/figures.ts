import { type DoorClient, fieldsOf, listOf, type Reply, recordsOf } from '../client.ts';

/** What `RG.FIGURES` answers: the platform at a moment. Memory in bytes, times in ms, rates per second. */
export interface TopFigures {
  readonly atMs: number;
  /** The whole fleet in its newest second; null before the first. */
  readonly fleet: FleetFigures | null;
  readonly functions: number;
  readonly executionsRunning: number;
  readonly deadLetters: number;
  readonly registrations: readonly RegistrationFigures[];
  readonly nodes: readonly NodeFigures[];
}

export interface FleetFigures {
  readonly entries: number;
  readonly executions: number;
  readonly errors: number;
  readonly retries: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly lagAgeMs: number | null;
  readonly unread: number;
  readonly pending: number;
  readonly sandboxBytes: number;
}

export interface RegistrationFigures {
  readonly id: string;
  readonly function: string;
  readonly version: number;
  readonly mode: string;
  readonly state: string;
  readonly health: string;
  readonly entries: number;
  readonly executions: number;
  readonly errors: number;
  readonly retries: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly unread: number;
  readonly pending: number;
  readonly waiting: number;
  readonly lagAgeMs: number | null;
  readonly lastError: string | null;
}

export interface NodeFigures {
  readonly nodeId: string;
  readonly slot: number;
  readonly host: string;
  readonly pid: number;
  readonly self: boolean;
  readonly ready: boolean;
  readonly behind: boolean;
  readonly residentBytes: number | null;
  readonly heapBytes: number | null;
  readonly loopDelayMs: number | null;
  readonly sandboxes: readonly SandboxFigures[];
}

export interface SandboxFigures {
  readonly pid: number;
  readonly role: string;
  readonly residentBytes: number;
  readonly isolates: readonly {
    readonly function: string;
    readonly version: number;
    readonly heapBytes: number | null;
  }[];
}

/** Errors: those of the door. */
export async function readFigures(door: DoorClient): Promise<TopFigures> {
  const fields = fieldsOf(await door.call('RG.FIGURES'));
  return {
    atMs: number(fields.atMs),
    fleet: fields.sample == null ? null : fleetOf(fieldsOf(fields.sample)),
    functions: number(fields.functions),
    executionsRunning: number(fields.executionsRunning),
    deadLetters: number(fields.deadLetters),
    registrations: recordsOf(fields.registrations ?? null).map(registrationOf),
    nodes: recordsOf(fields.nodes ?? null).map(nodeOf),
  };
}

type Fields = Readonly<Record<string, Reply>>;

function fleetOf(sample: Fields): FleetFigures {
  const ends = fieldsOf(sample.entries ?? null);
  const lag = fieldsOf(sample.lag ?? null);
  return {
    entries: Object.values(ends).reduce<number>((sum, count) => sum + number(count), 0),
    ...ratesOf(sample),
    lagAgeMs: sample.lag == null ? null : number(lag.ageMs),
    unread: number(lag.unread),
    pending: number(lag.pending),
    sandboxBytes: number(fieldsOf(sample.sandboxes ?? null).residentBytes),
  };
}

function ratesOf(fields: Fields) {
  const { p50, p99 } = fieldsOf(fields.durationMs ?? null);
  return {
    executions: number(fields.executions),
    errors: number(fields.errors),
    retries: number(fields.retries),
    p50Ms: orNull(p50),
    p99Ms: orNull(p99),
  };
}

function registrationOf(fields: Fields): RegistrationFigures {
  const rates = fieldsOf(fields.rates ?? null);
  return {
    ...{ id: text(fields.id), function: text(fields.functionName), version: number(fields.version) },
    ...{ mode: text(fields.mode), state: text(fields.state), health: text(fields.health) },
    entries: number(rates.entries),
    ...ratesOf(rates),
    ...{ unread: number(fields.unread), pending: number(fields.pending) },
    ...{ waiting: number(fields.waiting), lagAgeMs: orNull(fields.lagAgeMs) },
    lastError: fields.lastError == null ? null : text(fields.lastError),
  };
}

function nodeOf(fields: Fields): NodeFigures {
  return {
    ...{ nodeId: text(fields.nodeId), slot: number(fields.slot), host: text(fields.host), pid: number(fields.pid) },
    ...{ self: fields.self === 1, ready: fields.ready === 1, behind: fields.behind === 1 },
    residentBytes: orNull(fields.residentBytes),
    heapBytes: orNull(fields.heapBytes),
    loopDelayMs: orNull(fields.loopDelayMs),
    sandboxes: recordsOf(fields.sandboxes ?? null).map((sandbox) => ({
      ...{ pid: number(sandbox.pid), role: text(sandbox.role), residentBytes: number(sandbox.residentBytes) },
      isolates: listOf(sandbox.isolates).map((isolate) => {
        const { functionName, version, heapBytes } = fieldsOf(isolate);
        return { function: text(functionName), version: number(version), heapBytes: orNull(heapBytes) };
      }),
    })),
  };
}

function text(reply: Reply | undefined): string {
  return typeof reply === 'string' ? reply : String(reply ?? '');
}

function number(reply: Reply | undefined): number {
  return orNull(reply) ?? 0;
}

function orNull(reply: Reply | undefined): number | null {
  const value = typeof reply === 'string' && reply !== '' ? Number(reply) : reply;
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
