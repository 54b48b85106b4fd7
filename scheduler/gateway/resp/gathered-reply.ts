const CR = 13;
const LF = 10;
const MINUS = 45;

type Gather = (replies: readonly Buffer[]) => Buffer;

const first: Gather = ([reply]) => reply as Buffer;
const isError = (reply: Buffer): boolean => reply[0] === MINUS;

/**
 * One reply out of those of all shards, by the name of Redis' response policy (`''` for none). Unless the policy says
 * otherwise, the error of one shard is the reply: an answer without that shard would be wrong.
 */
const POLICIES: ReadonlyMap<string, Gather> = new Map([
  ['', concatenated],
  ['all_succeeded', first],
  ['agg_sum', numbers((a, b) => a + b)],
  ['agg_min', numbers(Math.min)],
  ['agg_max', numbers(Math.max)],
  ['agg_logical_and', numbers((a, b) => a && b)],
  ['agg_logical_or', numbers((a, b) => a || b)],
]);

/** How replies are made into one; undefined where Redis gives no rule (`special`) or one that is not known here. */
export function gatherOf(responsePolicy: string | null): Gather | undefined {
  if (responsePolicy === 'one_succeeded')
    return (replies) => replies.find((reply) => !isError(reply)) ?? first(replies);
  const gather = POLICIES.get(responsePolicy ?? '');
  return gather && ((replies) => replies.find(isError) ?? gather(replies));
}

/** One of the replies that are not null, each as likely as the other. */
export function anyPresent(replies: readonly Buffer[]): Buffer {
  const error = replies.find(isError);
  const present = replies.filter((reply) => !/^(\$-1|_)\r/.test(reply.toString('latin1', 0, 4)));
  return error ?? present[Math.floor(Math.random() * present.length)] ?? first(replies);
}

/** Elements of all lists in one. */
function concatenated(replies: readonly Buffer[]): Buffer {
  const type = String.fromCharCode(first(replies)[0] as number);
  let count = 0;
  const bodies = replies.map((reply) => {
    count += Math.max(0, numberIn(reply));
    return reply.subarray(reply.indexOf(LF) + 1);
  });
  return Buffer.concat([Buffer.from(`${type}${count}\r\n`), ...bodies]);
}

/** Joins integers, or lists of integers element by element. */
function numbers(join: (a: number, b: number) => number): Gather {
  return (replies) => {
    const rows = replies.map((reply) =>
      [...reply.toString('latin1').matchAll(/:(-?\d+)\r\n/g)].map(([, n]) => Number(n)),
    );
    const joined = (rows[0] ?? []).map((_, at) => rows.map((row) => row[at] ?? 0).reduce((a, b) => join(a, b)));
    const head = first(replies)[0] === 58 ? '' : first(replies).toString('latin1', 0, first(replies).indexOf(LF) + 1);
    return Buffer.from(head + joined.map((number) => `:${number}\r\n`).join(''));
  };
}

/** The number in a reply's first line. */
function numberIn(reply: Buffer): number {
  return Number(reply.toString('latin1', 1, reply.indexOf(CR)));
}
