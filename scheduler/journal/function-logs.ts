import type { RedisAccess } from '#functions';
import type { SchedulerKeys } from '../keys.ts';
import type { FunctionLogLine } from './journal.ts';

interface LogRequest {
  readonly functionName: string;
  readonly after: string | null;
  readonly count: number;
}

/** Lines of some functions, merged by id, newest last: the first ones after `after`, without it the last ones. */
export async function readLogs(
  access: RedisAccess,
  keys: SchedulerKeys,
  request: { readonly functionName: string | null; readonly after: string | null; readonly count: number },
): Promise<readonly FunctionLogLine[]> {
  const { after, count } = request;
  if (count <= 0) return [];
  const names = request.functionName === null ? await access.client.smembers(keys.logIndex) : [request.functionName];
  const logs = await Promise.all(names.map((functionName) => readLog(access, keys, { functionName, after, count })));
  const merged = logs.flat().sort((a, b) => compareIds(a.id, b.id));
  return after === null ? merged.slice(-count) : merged.slice(0, count);
}

async function readLog(access: RedisAccess, keys: SchedulerKeys, request: LogRequest): Promise<FunctionLogLine[]> {
  const { functionName, after, count } = request;
  const key = keys.log(functionName);
  const entries =
    after === null
      ? (await access.client.xrevrange(key, '+', '-', 'COUNT', count)).reverse()
      : await access.client.xrange(key, `(${after}`, '+', 'COUNT', count);
  return entries.map(([id, fields]) => {
    // Written by append-log.lua: version, level, message.
    const [, version = '0', , level = '', , message = ''] = fields;
    return { id, functionName, version: Number(version), level, message };
  });
}

/** Order of stream ids. */
export function compareIds(a: string, b: string): number {
  const [aMs = 0, aSeq = 0] = a.split('-').map(Number);
  const [bMs = 0, bSeq = 0] = b.split('-').map(Number);
  return aMs - bMs || aSeq - bSeq;
}
