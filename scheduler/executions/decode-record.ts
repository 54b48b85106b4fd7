import type { ExecutionPlan } from './execution-plan.ts';
import type { ExecutionRecord, HandedOut, StageEnd, StageProgress, StoredStatus } from './execution-store.ts';

/** Fields of a record in Redis; see `stageField`. */
export type RecordFields = Readonly<Record<string, string>> & { readonly plan: string; readonly status: StoredStatus };

export function decodeRecord(fields: RecordFields): ExecutionRecord {
  const maps = stageMaps(fields);
  const { status } = fields;
  const isOver = status === 'done' || status === 'aborted';
  return {
    plan: JSON.parse(fields.plan) as ExecutionPlan,
    status,
    abortAsked: fields.abort === '1',
    endedAtMs: fields.endedAt === undefined ? null : Number(fields.endedAt),
    error: fields.error ?? null,
    dropAtEnd: fields.drop === '1',
    beat: fields.beat ?? '',
    ...maps,
    ends: endsThatCount(maps, isOver),
  };
}

type StageMaps = Pick<ExecutionRecord, 'ends' | 'progress' | 'attempts' | 'handedOut'>;

function stageMaps(fields: RecordFields): StageMaps {
  const ends = new Map<string, StageEnd>();
  const progress = new Map<string, StageProgress>();
  const attempts = new Map<string, number>();
  const handedOut = new Map<string, HandedOut>();
  for (const [field, value] of Object.entries(fields)) {
    const name = field.slice(2);
    if (field.startsWith('e:')) ends.set(name, JSON.parse(value) as StageEnd);
    else if (field.startsWith('p:')) progress.set(name, JSON.parse(value) as StageProgress);
    else if (field.startsWith('a:')) attempts.set(name, Number(value));
    else if (field.startsWith('h:')) handedOut.set(name, handedOutOf(value));
  }
  return { ends, progress, attempts, handedOut };
}

function handedOutOf(text: string): HandedOut {
  const [attempt = 0, pieces = 0, records = 0, bytes = 0] = text.split(':').map(Number);
  return { attempt, pieces, records, bytes };
}

const NOTHING = { errors: [], readMs: 0, runMs: 0, stepMs: [] };

/**
 * What has been handed out counts, whatever became of its attempt: an end with less (it failed, or was aborted) has that much,
 * and where an execution was ended before its stage was, that is the end.
 */
function endsThatCount({ ends, progress, handedOut }: StageMaps, isOver: boolean): ReadonlyMap<string, StageEnd> {
  if (handedOut.size === 0) return ends;
  const counting = new Map(ends);
  for (const [name, { attempt, pieces, records, bytes }] of handedOut) {
    const end = ends.get(name) ?? (isOver ? { ...NOTHING, pieces: [], read: progress.get(name)?.read ?? 0 } : null);
    if (end === null || (end.pieces[0]?.[1] ?? 0) >= pieces) continue;
    counting.set(name, { ...end, attempt, pieces: [[0, pieces]], records, bytes });
  }
  return counting;
}
