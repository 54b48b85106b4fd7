import { encodeBulk, type Limits, type RunSpec } from '#functions';
import type { GuestError, Runtime, StageOutput, StageRequest } from '#runtime';
import { versionOf } from '../scripted/invocations.ts';

/** RESP text (latin1) of nested lists; numbers as integers, null as nil. */
export function resp(value: unknown): string {
  if (Array.isArray(value)) return `*${value.length}\r\n${value.map(resp).join('')}`;
  if (value === null) return '$-1\r\n';
  if (typeof value === 'number') return `:${value}\r\n`;
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(String(value), 'utf8');
  return `$${bytes.length}\r\n${bytes.toString('latin1')}\r\n`;
}

/** Opaque texts as the input of the next stage. */
export function recordsPayload(records: readonly string[]): string {
  return `*${records.length}\r\n${records.map(encodeBulk).join('')}`;
}

export interface RunOptions {
  readonly runtime: Runtime;
  readonly code: string;
  readonly limits?: Partial<Limits>;
  readonly fields?: Partial<StageRequest>;
}

/** A stage over all steps that answers results. */
export function requestOf({ code, limits, fields }: Omit<RunOptions, 'runtime'>): StageRequest {
  return {
    target: versionOf({ code, version: 0, ...(limits ? { limits } : {}) }),
    runIndex: 0,
    executionId: 'e1',
    firstStep: 0,
    endStep: 0,
    input: 'names',
    key: '',
    hashtag: '06S',
    output: 'results',
    profile: false,
    signal: new AbortController().signal,
    ...fields,
  };
}

export interface ShardInput {
  /** Payloads with their numbers of records. */
  readonly pieces: readonly { readonly payload: string; readonly count: number }[];
}

export interface RunResult {
  readonly results: readonly string[];
  readonly errors: readonly GuestError[];
}

interface Carried {
  records: string[][];
  keys: string[][];
}

/** Runs all pieces of one shard through one stage. */
export async function runStage(runtime: Runtime, request: StageRequest, input: ShardInput): Promise<StageOutput> {
  await using stage = await runtime.openStage(request);
  const outputs: Promise<StageOutput>[] = [];
  for (const { payload, count } of input.pieces) outputs.push(stage.feed(payload, count));
  const all = [...(await Promise.all(outputs)), await stage.finish()];
  return {
    records: all.flatMap(({ records }) => records),
    keys: all.flatMap(({ keys }) => keys),
    errors: all.flatMap(({ errors }) => errors),
    enough: true,
  };
}

/** Ends of the stages of a plan: at each global step, and behind the last step. */
export function stagesOf(
  spec: RunSpec,
): readonly { readonly first: number; readonly end: number; readonly by: string }[] {
  const stages: { first: number; end: number; by: string }[] = [];
  let first = 0;
  spec.steps.forEach(({ type }, at) => {
    if (type !== 'collect' && type !== 'repartition') return;
    stages.push({ first, end: at, by: type });
    first = at + 1;
  });
  stages.push({ first, end: spec.steps.length, by: 'end' });
  return stages;
}

export interface PlanRun {
  readonly runtime: Runtime;
  readonly code: string;
  readonly input: StageRequest['input'];
  readonly shards: readonly ShardInput[];
  /** Size of the pieces in which later stages are fed. */
  readonly pieceSize: number;
}

function piecesOf(records: readonly string[], size: number): ShardInput {
  const pieces: { payload: string; count: number }[] = [];
  for (let at = 0; at < records.length; at += size) {
    const part = records.slice(at, at + size);
    pieces.push({ payload: recordsPayload(part), count: part.length });
  }
  return { pieces };
}

/** Runs a whole plan as the scheduler would, shards one after the other. */
export async function runPlan({ runtime, code, input, shards, pieceSize }: PlanRun): Promise<RunResult> {
  const manifest = await runtime.inspect(requestOf({ code }).target);
  const spec = manifest.runs[0] as RunSpec;
  const errors: GuestError[] = [];
  let inputs = shards;
  let form = input;
  let last: Carried = { records: [], keys: [] };
  for (const { first, end, by } of stagesOf(spec)) {
    const output = { end: 'results', collect: 'records', repartition: 'partitioned' }[by] as StageRequest['output'];
    last = { records: [], keys: [] };
    for (const shard of inputs) {
      const fields = { firstStep: first, endStep: end, input: form, output };
      const out = await runStage(runtime, requestOf({ code, fields }), shard);
      last.records.push([...out.records]);
      last.keys.push([...out.keys]);
      errors.push(...out.errors);
    }
    form = 'records';
    if (by === 'collect')
      inputs = [piecesOf(last.records.flat(), pieceSize), ...inputs.slice(1).map(() => ({ pieces: [] }))];
    if (by === 'repartition') {
      const keys = last.keys.flat();
      const target = (key: string): number =>
        [...key].reduce((sum, char) => sum + char.charCodeAt(0), 0) % shards.length;
      const all = last.records.flat();
      inputs = shards.map((_, shard) =>
        piecesOf(
          all.filter((_record, at) => target(keys[at] ?? '') === shard),
          pieceSize,
        ),
      );
    }
  }
  return { results: last.records.flat(), errors };
}
