import { type CommandFacts, encodeCommand, type Shard } from '#functions';
import { anyPresent, gatherOf } from './gathered-reply.ts';
import { asClientScan, parseShardCursor } from './shard-scan.ts';

/** A command without keys that asks more than the first shard. */
export interface Spread {
  readonly shards: readonly Shard[];
  /** What is sent instead of the client's own bytes. */
  readonly bytes?: Buffer | string;
  /** The client's reply out of one per shard, in their order. */
  gather(replies: readonly Buffer[]): Buffer;
}

/** Asked by clients all the time, and about the connection: the first shard's answer is the door's. */
const OF_THE_CONNECTION = 'ping';

/**
 * Follows the advice of Redis' command table (`request_policy`, `response_policy`). Null: the command goes to the first shard,
 * because it concerns one server only or there is no rule to make one answer out of several.
 * @param args of a command without keys, its name first.
 */
export function spreadOf(
  args: readonly string[],
  facts: CommandFacts | undefined,
  all: readonly Shard[],
): Spread | null {
  if (facts === undefined || facts.name === OF_THE_CONNECTION) return null;
  if (facts.name === 'scan') return scanOf(args, all);
  const { requestPolicy, responsePolicy } = facts;
  if (requestPolicy !== 'all_shards' && requestPolicy !== 'all_nodes') return null;
  const gather = facts.name === 'randomkey' ? anyPresent : gatherOf(responsePolicy);
  return gather === undefined ? null : { shards: all, gather };
}

function scanOf(args: readonly string[], all: readonly Shard[]): Spread | null {
  const at = parseShardCursor(args[1] ?? '');
  const shard = at === null ? undefined : all[at.shard];
  // What is no cursor of ours is answered by Redis.
  if (at === null || shard === undefined) return null;
  return {
    shards: [shard],
    bytes: encodeCommand([...args.slice(0, 1), at.cursor, ...args.slice(2)]),
    gather: ([reply]) => asClientScan(reply as Buffer, at.shard, all.length),
  };
}
