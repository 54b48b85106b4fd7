import { defineScript, PlatformError, type RedisAccess } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import type { SchedulerKeys } from '../keys.ts';
import { decodeRecord, type RecordFields } from './decode-record.ts';
import type { ExecutionPlan } from './execution-plan.ts';

/** One shard's run of one stage. */
export interface StageRef {
  readonly stage: number;
  readonly partition: number;
}

/** What one shard's stage has come to. */
export interface StageEnd {
  /** Which attempt's pieces count. */
  readonly attempt: number;
  /** `[receiver, pieces]`; results have receiver 0. */
  readonly pieces: readonly (readonly [number, number])[];
  readonly records: number;
  readonly bytes: number;
  readonly errors: readonly string[];
  /** Records read. */
  readonly read: number;
  readonly readMs: number;
  readonly runMs: number;
  /** By position in the stage; empty without profile. */
  readonly stepMs: readonly number[];
}

export interface StageProgress {
  readonly read: number;
  /** 0 to 1; null where nobody knows. */
  readonly part: number | null;
  readonly startedAtMs: number;
  readonly atMs: number;
}

/** What readers who follow a run have been given of a part that has not ended. */
export interface HandedOut {
  /** The only one that can still count. */
  readonly attempt: number;
  readonly pieces: number;
  readonly records: number;
  readonly bytes: number;
}

/** Pieces that are about to be handed out. */
export interface HandOut {
  readonly attempt: number;
  /** Index of the first one. */
  readonly from: number;
  readonly pieces: readonly { readonly records: number; readonly bytes: number }[];
}

export type StoredStatus = 'created' | 'running' | 'done' | 'aborted';

/** An execution as it is stored. */
export interface ExecutionRecord {
  readonly plan: ExecutionPlan;
  readonly status: StoredStatus;
  readonly abortAsked: boolean;
  /** Null while it has not ended. */
  readonly endedAtMs: number | null;
  /** Why it was ended from outside; null otherwise. */
  readonly error: string | null;
  /** To be forgotten with its end. */
  readonly dropAtEnd: boolean;
  /** Changes whenever somebody works on it. */
  readonly beat: string;
  readonly ends: ReadonlyMap<string, StageEnd>;
  readonly progress: ReadonlyMap<string, StageProgress>;
  /** Started attempts. */
  readonly attempts: ReadonlyMap<string, number>;
  readonly handedOut: ReadonlyMap<string, HandedOut>;
}

/** Records of executions in Redis. */
export interface ExecutionStore {
  nextNumber(): Promise<number>;
  create(plan: ExecutionPlan, number: number): Promise<void>;
  /** Ids, oldest first, some of which may be gone. */
  ids(): Promise<readonly string[]>;
  running(): Promise<readonly string[]>;
  read(id: string): Promise<ExecutionRecord | null>;
  /** Takes the number of the next attempt of a stage. Errors: EXECUTION_PART_LOST when results of one before were handed out. */
  beginAttempt(id: string, ref: StageRef): Promise<number>;
  touch(id: string, ref: StageRef | null, progress: StageProgress | null): Promise<'go' | 'abort' | 'over'>;
  endStage(id: string, ref: StageRef, end: StageEnd): Promise<boolean>;
  /** Makes an attempt the only one of its part that can count; false: it cannot be, and nothing may be handed out. */
  handOut(id: string, ref: StageRef, what: HandOut): Promise<boolean>;
  end(id: string, status: 'done' | 'aborted', error?: string): Promise<boolean>;
  askAbort(id: string): Promise<'gone' | 'over' | 'ended' | 'asked'>;
  dropAtEnd(id: string): Promise<void>;
  /** Forgets the record; its pieces are somebody else's business. */
  forget(id: string): Promise<void>;
}

export interface ExecutionStoreOptions {
  readonly access: Pick<RedisAccess, 'client'>;
  readonly keys: SchedulerKeys;
  readonly keepMs: number;
}

/** Field of a stage in the record: `e:` its end, `p:` its progress, `a:` its attempts, `h:` what was handed out. */
export function stageField(kind: 'e' | 'p' | 'a' | 'h', { stage, partition }: StageRef): string {
  return `${kind}:${stage}:${partition}`;
}

/** Name of a stage in the maps of a record. */
export function stageName({ stage, partition }: StageRef): string {
  return `${stage}:${partition}`;
}

export function notFound(id: string): PlatformError<SchedulerErrorCode> {
  return new PlatformError('EXECUTION_NOT_FOUND', `there is no execution ${id.slice(0, 100)}`, { details: { id } });
}

function partLost(id: string): PlatformError<SchedulerErrorCode> {
  return new PlatformError(
    'EXECUTION_PART_LOST',
    `a part of execution ${id} broke off after results of it had been handed out, and does not begin again, which would repeat them; the rest of its results is missing. Run it again, or so that results come after the end: regears run --at-end, RG.JSEXECUTE without FOLLOW`,
    { details: { id } },
  );
}

export function createExecutionStore({ access, keys, keepMs }: ExecutionStoreOptions): ExecutionStore {
  const { client } = access;
  const endExecution = script('end-execution');
  const askAbort = script('ask-abort');
  return {
    ...stageRecords(access, keys),
    nextNumber: () => client.incr(keys.executionCounter),
    async create(plan, number) {
      const drop = plan.nested === true ? { drop: '1' } : {};
      await client.hset(keys.execution(plan.id), {
        plan: JSON.stringify(plan),
        status: 'created',
        beat: '0',
        ...drop,
      });
      await client.zadd(keys.executionIndex, number, plan.id);
      await client.sadd(keys.executionsRunning, plan.id);
    },
    ids: () => client.zrange(keys.executionIndex, '0', '-1'),
    running: () => client.smembers(keys.executionsRunning),
    async read(id) {
      const fields = await client.hgetall(keys.execution(id));
      return fields.plan === undefined ? null : decodeRecord(fields as RecordFields);
    },
    async end(id, status, error = '') {
      const args = [id, status, error, Date.now(), keepMs];
      return (await endExecution.run(client, [keys.execution(id), keys.executionsRunning], args)) === 1;
    },
    async askAbort(id) {
      const args = [id, Date.now(), keepMs];
      const said = await askAbort.run(client, [keys.execution(id), keys.executionsRunning], args);
      return said as 'gone' | 'over' | 'ended' | 'asked';
    },
    async dropAtEnd(id) {
      await client.hset(keys.execution(id), 'drop', '1');
    },
    async forget(id) {
      await Promise.all([
        client.unlink(keys.execution(id)),
        client.zrem(keys.executionIndex, id),
        client.srem(keys.executionsRunning, id),
      ]);
    },
  };
}

const script = (name: string) => defineScript(name, new URL(`./scripts/${name}.lua`, import.meta.url));

type StageRecords = Pick<ExecutionStore, 'beginAttempt' | 'touch' | 'endStage' | 'handOut'>;

function stageRecords({ client }: ExecutionStoreOptions['access'], keys: SchedulerKeys): StageRecords {
  const touch = script('touch');
  const beginAttempt = script('begin-attempt');
  const endStage = script('end-stage');
  const handOut = script('hand-out');
  return {
    async beginAttempt(id, ref) {
      const args = [stageField('a', ref), stageField('h', ref)];
      const attempt = Number(await beginAttempt.run(client, [keys.execution(id)], args));
      if (attempt === 0) throw partLost(id);
      return attempt;
    },
    async touch(id, ref, progress) {
      const args = ref === null ? ['', ''] : [stageField('p', ref), JSON.stringify(progress)];
      return (await touch.run(client, [keys.execution(id)], args)) as 'go' | 'abort' | 'over';
    },
    async endStage(id, ref, end) {
      const args = [stageField('e', ref), JSON.stringify(end), stageField('h', ref), end.attempt];
      return (await endStage.run(client, [keys.execution(id)], args)) === 1;
    },
    async handOut(id, ref, { attempt, from, pieces }) {
      const sizes = pieces.flatMap(({ records, bytes }) => [records, bytes]);
      const args = [stageField('h', ref), stageField('e', ref), stageField('a', ref), attempt, from, ...sizes];
      return (await handOut.run(client, [keys.execution(id)], args)) === 1;
    },
  };
}
