import type { RegistrationSpec } from '#functions';
import type { ConsumerParts } from './parts.ts';
import { isLinkLost } from './redis-calls.ts';
import type { ConsumedRegistration } from './registration.ts';
import type { StreamPattern } from './stream-finder.ts';
import type { StreamSource } from './stream-source.ts';

export interface HeadsRequest {
  readonly spec: Pick<RegistrationSpec, 'id'>;
  /** Null: the registration has no streams. */
  readonly source: StreamSource | null;
  readonly parts: Pick<ConsumerParts, 'calls' | 'groups'>;
  /** Lists streams that match. */
  readonly scan: (pattern: StreamPattern) => Promise<readonly string[]>;
  readonly known: ConsumedRegistration | undefined;
}

/** Last id of every stream that a registration has, or would have if it were in force now. Keys are latin1. */
export async function headsOf(request: HeadsRequest): Promise<Readonly<Record<string, string>>> {
  const { spec, source, parts, scan, known } = request;
  if (source === null) return {};
  const { pattern, isPrefix } = source;
  const streams = new Set([...source.streams, ...(known?.lanes.keys() ?? [])]);
  if (isPrefix) {
    for (const stream of await parts.groups.known(spec.id)) streams.add(stream);
    for (const stream of await scan({ pattern, isPrefix })) streams.add(stream);
  }
  const heads = await Promise.all([...streams].map(async (stream) => [stream, await headOf(stream, parts)] as const));
  return Object.fromEntries(heads.filter((head): head is [string, string] => head[1] !== null));
}

async function headOf(stream: string, { calls }: Pick<ConsumerParts, 'calls'>): Promise<string | null> {
  const info = await calls.call(['XINFO', 'STREAM', stream]).catch((error: unknown) => {
    if (isLinkLost(error)) throw error;
    return null; // No such stream, or a key of another type.
  });
  if (!Array.isArray(info)) return null;
  const at = info.indexOf('last-generated-id');
  return at < 0 ? null : String(info[at + 1]);
}
