import {
  argsOf,
  createCommandScan,
  encodeCommand,
  type LoadableVersion,
  type RegistrationSpec,
  replyStarts,
  runsPerRecord,
  scanCommand,
} from '#functions';
import type { EndedEntries, Invocation, Runtime } from '#runtime';
import { eventFilterOf } from '../../consumer/event-filter.ts';
import { keysPayload } from '../../triggers/keys-batch.ts';
import type { KeyEvent, TestEvent } from '../events.ts';
import { latin1Of, type Reply, replyOf } from '../values.ts';
import type { World } from '../world.ts';
import type { DeliveryError, RecordOutcome } from './delivery.ts';
import { keyRecord, type PreparedEvent, type PreparedRecord, prepareEvent } from './payload.ts';
import type { Witness } from './witness.ts';

/** What a delivery needs around it. */
export interface Stand {
  readonly runtime: Runtime;
  readonly world: World;
  readonly witness: Witness;
  readonly target: LoadableVersion;
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
}

const FILTERED: RecordOutcome = { end: 'filtered', results: [], error: null };

/** Runs the records of an event through a registration, all of them in one batch, as a node would. */
export async function runEvent(
  stand: Stand,
  spec: RegistrationSpec,
  event: TestEvent,
): Promise<readonly RecordOutcome[]> {
  const prepared = await prepare(stand, spec, event);
  const filter = eventFilterOf(spec);
  const passes = ({ field }: PreparedRecord): boolean => filter?.accepts(filter.fields.map(field)) ?? true;
  const wanted = [...prepared.records.keys()].filter((at) => passes(prepared.records[at] as PreparedRecord));
  const outcomes: RecordOutcome[] = prepared.records.map(() => FILTERED);
  if (wanted.length === 0) return outcomes;
  stand.witness.records(wanted);
  const records = wanted.map((at) => prepared.records[at] as PreparedRecord);
  const take = (ended: EndedEntries): void => {
    for (const [entry, outcome] of outcomesOf(ended, wanted)) outcomes[wanted[entry] as number] = outcome;
  };
  await stand.runtime.execute(invocationOf(stand, spec, { ...prepared, records, take }));
  await stand.witness.acknowledge();
  return outcomes;
}

async function prepare(stand: Stand, spec: RegistrationSpec, event: TestEvent): Promise<PreparedEvent> {
  const { trigger } = spec;
  if (event.kind !== 'keys' || trigger.kind !== 'keys') return prepareEvent(event, { spec, nowMs: stand.nowMs() });
  const wants = { type: trigger.readValue || trigger.keyTypes !== null, value: trigger.readValue };
  const isGiven = ({ value, type }: KeyEvent): boolean => value !== undefined || type !== undefined;
  const records: PreparedRecord[] = [];
  for (const one of event.events) {
    const record = keyRecord(one, wants);
    records.push(isGiven(one) || !wants.type ? record : { ...record, text: await readKey(stand, one, wants) });
  }
  return { shape: 'keys', key: '', records };
}

/** As a platform does when it has heard of an event. */
async function readKey({ world }: Stand, event: KeyEvent, wants: { type: boolean; value: boolean }): Promise<string> {
  await using pipe = world.redis.openPipe('testing');
  const command = event.command === undefined ? '' : encodeCommand(event.command.map(latin1Of));
  const stored = { key: latin1Of(event.key), event: event.event, command, token: '' };
  const payload = await keysPayload(pipe, [stored], wants);
  return payload.slice(payload.indexOf('\n') + 1);
}

interface Ready extends PreparedEvent {
  readonly take: (ended: EndedEntries) => void;
}

function invocationOf(stand: Stand, spec: RegistrationSpec, ready: Ready): Invocation {
  const { trigger, mode, flow } = spec;
  const { key, records, shape, take } = ready;
  const isCall = trigger.kind === 'command' || trigger.kind === 'hook';
  const keyed = flow?.keyed === true && !isCall;
  const isSync = mode === 'sync' || keyed;
  const policy = policyOf(spec);
  return {
    target: stand.target,
    registrationIndex: spec.index,
    registrationId: spec.id,
    shape,
    payload: `*${records.length}\r\n${records.map(({ text }) => text).join('')}`,
    entryCount: records.length,
    key,
    hashtag: stand.world.tagOf(key),
    executionSize: isSync && runsPerRecord(spec.steps) ? 1 : batchOf(spec),
    ordered: isSync || (isCall && trigger.inorder),
    stopAtFailure: isSync && policy !== null && policy !== 'continue',
    keyed,
    wantResults: trigger.kind !== 'keys' || trigger.commands !== null,
    ...(shape === 'hook' ? { next: (entry, command) => handOn(stand, records[entry], { entry, command }) } : {}),
    onEnded: take,
    signal: stand.signal,
  };
}

/** `callNext`: the name of the command is the one that was hooked. */
async function handOn(
  { world, witness }: Stand,
  record: PreparedRecord | undefined,
  { entry, command }: { readonly entry: number; readonly command: string },
): Promise<string> {
  const scan = createCommandScan();
  scanCommand(command, 0, scan);
  const args = [record?.field('0') ?? '', ...argsOf(command, scan).slice(1)];
  await using pipe = world.redis.openPipe('testing');
  return await witness.handedOn(entry, args, () => pipe.send(encodeCommand(args), 1));
}

function batchOf({ trigger }: RegistrationSpec): number {
  switch (trigger.kind) {
    case 'stream':
      return trigger.batch;
    case 'command':
    case 'hook':
      return 1;
    default:
      return trigger.delivery.batch;
  }
}

function policyOf({ trigger }: RegistrationSpec): string | null {
  if (trigger.kind === 'stream') return trigger.onFailedPolicy;
  return 'delivery' in trigger ? trigger.delivery.onFailedPolicy : null;
}

/** By position in the batch. */
function outcomesOf(ended: EndedEntries, records: readonly number[]): readonly (readonly [number, RecordOutcome])[] {
  const { done, filtered, failed, results } = ended;
  const resultsAt = (position: number): readonly Reply[] => {
    const text = results?.[position];
    return text === undefined ? [] : listOf(text);
  };
  return [
    ...Array.from(done, (entry, at) => [entry, { end: 'done', results: resultsAt(at), error: null }] as const),
    ...Array.from(filtered, (entry) => [entry, FILTERED] as const),
    ...failed.map(({ index, kind, error }) => {
      const end = kind === 'interrupted' ? 'interrupted' : 'failed';
      const own: DeliveryError = { ...error, record: records[index] ?? index };
      return [index, { end, results: [], error: own }] as const;
    }),
  ];
}

/** A RESP array as its elements. */
function listOf(text: string): readonly Reply[] {
  const body = text.slice(text.indexOf('\n') + 1);
  const count = Number(text.slice(1, text.indexOf('\r')));
  const starts = replyStarts(body, count);
  return Array.from({ length: count }, (_, at) => replyOf(body.slice(starts[at], starts[at + 1] ?? body.length)));
}
