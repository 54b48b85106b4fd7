/**
 * SCAN over all shards, one after the other: the client's cursor holds the shard's cursor and which shard it is. What a
 * SCAN of one server promises holds for each shard; a key whose slot moves to another shard meanwhile may be missed.
 */
const MOST_SHARDS = 1_024n;
const CURSOR_HEAD = /^\*2\r\n\$\d+\r\n(\d+)\r\n/;
const MAX_CURSOR_HEAD = 64;

export interface ShardCursor {
  /** Which of the shards, from 0. */
  readonly shard: number;
  /** The cursor that shard gave. */
  readonly cursor: string;
}

/** Null for what no cursor of ours can be. */
export function parseShardCursor(text: string): ShardCursor | null {
  if (!/^\d{1,20}$/.test(text)) return null;
  const value = BigInt(text);
  return { shard: Number(value % MOST_SHARDS), cursor: String(value / MOST_SHARDS) };
}

/** The reply of shard `shard` of so many as the client sees it; errors stay as they are. */
export function asClientScan(reply: Buffer, shard: number, shards: number): Buffer {
  const found = CURSOR_HEAD.exec(reply.toString('latin1', 0, MAX_CURSOR_HEAD));
  if (found === null) return reply;
  const cursor = nextCursor(BigInt(found[1] as string), shard, shards);
  const head = `*2\r\n$${cursor.length}\r\n${cursor}\r\n`;
  return Buffer.concat([Buffer.from(head), reply.subarray(found[0].length)]);
}

function nextCursor(cursor: bigint, shard: number, shards: number): string {
  if (cursor > 0n) return String(cursor * MOST_SHARDS + BigInt(shard));
  return shard + 1 < shards ? String(shard + 1) : '0';
}
