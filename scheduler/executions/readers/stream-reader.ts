import { encodeCommand, latin1FromUtf8, PlatformError, type RunSpec, scanEntries } from '#functions';
import type { ReadLinks } from './links.ts';
import type { InputPiece } from './reader.ts';

export interface StreamRequest {
  readonly links: Pick<ReadLinks, 'anywhere'>;
  readonly run: Pick<RunSpec, 'arg' | 'fromId' | 'untilId'>;
  /** Keys that begin so are the platform's own, and have no entries for anybody. */
  readonly platformPrefix: string;
  /** Most entries of the next piece; left out: as many as suits the server. */
  readonly pieceSize?: () => number;
}

const PAGE = 1_000;

/**
 * Entries of a stream behind `fromId`, up to `untilId` or to what was its last entry when the reading began: a stream that
 * is written to meanwhile has an end, too. Errors: REDIS_REPLY when the key holds something else.
 */
export async function* readStream({
  links,
  run,
  platformPrefix,
  pieceSize,
}: StreamRequest): AsyncGenerator<InputPiece> {
  const key = latin1FromUtf8(run.arg);
  if (key.startsWith(platformPrefix)) return;
  const until = run.untilId === '+' ? await lastId(links, key) : run.untilId;
  let from = run.fromId;
  while (until !== null) {
    const most = Math.min(PAGE, pieceSize?.() ?? PAGE);
    const page = await range(links, ['XRANGE', key, `(${from}`, until, 'COUNT', String(most)]);
    const { ids } = scanEntries(page);
    if (ids.length > 0) yield { payload: page, count: ids.length };
    if (ids.length < most) return;
    from = ids.at(-1) as string;
  }
}

async function lastId(links: Pick<ReadLinks, 'anywhere'>, key: string): Promise<string | null> {
  const newest = await range(links, ['XREVRANGE', key, '+', '-', 'COUNT', '1']);
  return scanEntries(newest).ids[0] ?? null;
}

async function range(links: Pick<ReadLinks, 'anywhere'>, command: readonly string[]): Promise<string> {
  const reply = await links.anywhere(encodeCommand(command), 1);
  if (reply.startsWith('-')) throw new PlatformError('REDIS_REPLY', reply.slice(1, reply.indexOf('\r\n')));
  return reply;
}
