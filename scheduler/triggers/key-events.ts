import { decodeReply, isReplyError, type ReplyValue } from '#functions';

/** What a command has done to a key. */
export interface KeyEvent {
  /** Name of the keyspace notification, lower case. */
  readonly event: string;
  /** latin1. */
  readonly key: string;
  /** False: the reply does not tell whether it has happened (a ZADD that may only have changed scores). */
  readonly certain: boolean;
}

/** Arguments without the command's name, and the reply; `undefined` = not known yet: what may happen is wanted. */
type Rule = (args: readonly string[], reply: ReplyValue | undefined) => readonly KeyEvent[];

/**
 * The events that a command has raised, as far as its arguments and its reply tell. An error, or a reply that says that
 * nothing was changed, raises none.
 * @param args latin1, the name first.
 * @param reply RESP text; null = what the command may raise at most.
 */
export function eventsOf(args: readonly string[], reply: string | null): readonly KeyEvent[] {
  const rule = RULES.get((args[0] ?? '').toLowerCase());
  if (rule === undefined) return [];
  if (reply === null) return rule(args.slice(1), undefined);
  const value = decodeReply(reply);
  if (isReplyError(value) || reply.startsWith('+QUEUED')) return [];
  return rule(args.slice(1), value);
}

/** True when the command's name is one whose events are known here; lower case. */
export function raisesEvents(name: string): boolean {
  return RULES.has(name);
}

/** Commands that may raise one of these events; null = of all that are known. */
export function commandsRaising(events: ReadonlySet<string> | null): readonly string[] {
  const names = [...RULES.keys()];
  if (events === null) return names;
  return names.filter((name) => possibleEvents(name).some((event) => events.has(event)));
}

/** Reading commands that miss when their key is not there. */
export const READING_COMMANDS: readonly string[] =
  'get mget getrange strlen hget hmget hgetall hexists hkeys hvals hlen lrange llen lindex smembers scard sismember smismember zrange zscore zcard zrank zcount exists type ttl pttl'.split(
    ' ',
  );

/** True for a reply that a missing key would have, too. */
export function looksMissing(reply: string): boolean {
  const value = decodeReply(reply);
  if (isReplyError(value)) return false;
  const isEmpty = (one: ReplyValue): boolean => one === null || one === 0 || one === '' || one === 'none';
  if (Array.isArray(value)) return value.every(isEmpty);
  return isEmpty(value) || (typeof value === 'number' && value < 0);
}

const always: (event: string) => Rule =
  (event) =>
  ([key]) =>
    one(event, key);
/** Where the reply is a count of changes, or nil when there was none. */
const ifChanged =
  (event: string): Rule =>
  ([key], reply) =>
    changed(reply) ? one(event, key) : [];

/** The first argument's event when the reply does not tell. */
const maybe =
  (event: string): Rule =>
  ([key], reply) =>
    one(event, key, reply === undefined || (typeof reply === 'number' && reply > 0));

function one(event: string, key: string | undefined, certain = true): readonly KeyEvent[] {
  return key === undefined ? [] : [{ event, key, certain }];
}

function changed(reply: ReplyValue | undefined): boolean {
  if (reply === undefined) return true;
  if (reply === null || reply === 0 || reply === '0') return false;
  return !Array.isArray(reply) || reply.some((item) => item !== null);
}

function has(args: readonly string[], ...options: string[]): boolean {
  return args.some((arg) => options.includes(arg.toLowerCase()));
}

const EXPIRES = ['ex', 'px', 'exat', 'pxat'];

const set: Rule = (args, reply) => {
  const [key = ''] = args;
  const options = args.slice(2);
  // With GET the reply is the old value: with NX it was set when there was none, with XX when there was one.
  const done = has(options, 'get')
    ? !(has(options, 'nx') ? reply !== null && reply !== undefined : has(options, 'xx') && reply === null)
    : reply !== null;
  if (!done) return [];
  return has(options, ...EXPIRES) ? [...one('set', key), ...one('expire', key)] : one('set', key);
};

const deleted: Rule = (args, reply) => {
  if (reply === 0) return [];
  const keys = [...new Set(args)];
  const all = reply === undefined || reply === keys.length;
  return keys.flatMap((key) => one('del', key, all));
};

const setMany: Rule = (args, reply) =>
  reply === 0 ? [] : args.filter((_, at) => at % 2 === 0).flatMap((key) => one('set', key));

const renamed: Rule = ([from, to], reply) =>
  reply === 0 ? [] : [...one('rename_from', from), ...one('rename_to', to)];

/** EXPIRE and the like with a time that is past delete the key. */
const expiring =
  (isPast: (time: number, nowMs: number) => boolean): Rule =>
  ([key, time], reply) => {
    if (reply === 0) return [];
    return one(isPast(Number(time), Date.now()) ? 'del' : 'expire', key);
  };

const moved =
  (source: string, target: string): Rule =>
  ([from, to], reply) =>
    changed(reply) ? [...one(source, from), ...one(target, to)] : [];

const listMoved: Rule = (args, reply) => {
  const side = (arg: string | undefined): string => (arg?.toLowerCase() === 'right' ? 'r' : 'l');
  return moved(`${side(args[2])}pop`, `${side(args[3])}push`)(args, reply);
};

const zadd: Rule = (args, reply) => {
  const increments = has(args.slice(1), 'incr');
  if (increments) return reply === null ? [] : one('zincr', args[0]);
  const sure = reply === undefined || (typeof reply === 'number' && reply > 0) || has(args.slice(1), 'ch', 'nx');
  return sure && reply === 0 ? [] : one('zadd', args[0], sure);
};

/** A destination that was written, or deleted because nothing came out. */
const stored =
  (event: string): Rule =>
  ([key], reply) =>
    reply === 0 ? one('del', key, false) : one(event, key);

const storedThird: Rule = (args, reply) => (reply === 0 ? one('del', args[1], false) : one('set', args[1]));

const getex: Rule = (args, reply) => {
  if (reply === null) return [];
  if (has(args.slice(1), ...EXPIRES)) return one('expire', args[0]);
  return has(args.slice(1), 'persist') ? one('persist', args[0], reply === undefined) : [];
};

const poppedAny =
  (event: string): Rule =>
  (_args, reply) =>
    Array.isArray(reply) && typeof reply[0] === 'string' ? one(event, reply[0]) : [];

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['set', set],
  ['setnx', ifChanged('set')],
  ['setex', ([key]) => [...one('set', key), ...one('expire', key)]],
  ['psetex', ([key]) => [...one('set', key), ...one('expire', key)]],
  ['getset', always('set')],
  ['getdel', ([key], reply) => (reply === null ? [] : one('del', key))],
  ['getex', getex],
  ['mset', setMany],
  ['msetnx', setMany],
  ['append', always('append')],
  ['setrange', ([key, , text], reply) => (text === '' || reply === 0 ? [] : one('setrange', key))],
  ['setbit', always('setbit')],
  ['bitop', storedThird],
  ...['incr', 'decr', 'incrby', 'decrby'].map((name) => [name, always('incrby')] as const),
  ['incrbyfloat', always('incrbyfloat')],
  ['pfadd', ifChanged('pfadd')],
  ['pfmerge', always('pfadd')],
  ['del', deleted],
  ['unlink', deleted],
  ['rename', renamed],
  ['renamenx', renamed],
  ['copy', ([, to], reply) => (reply === 0 ? [] : one('copy_to', to))],
  ['restore', always('restore')],
  ['persist', ifChanged('persist')],
  ['expire', expiring((time) => time <= 0)],
  ['pexpire', expiring((time) => time <= 0)],
  ['expireat', expiring((time, nowMs) => time * 1_000 <= nowMs)],
  ['pexpireat', expiring((time, nowMs) => time <= nowMs)],
  ['lpush', always('lpush')],
  ['rpush', always('rpush')],
  ['lpushx', ifChanged('lpush')],
  ['rpushx', ifChanged('rpush')],
  ['lpop', ifChanged('lpop')],
  ['rpop', ifChanged('rpop')],
  ['lset', always('lset')],
  ['ltrim', always('ltrim')],
  ['lrem', ifChanged('lrem')],
  ['linsert', ([key], reply) => (typeof reply === 'number' && reply <= 0 ? [] : one('linsert', key))],
  ['rpoplpush', moved('rpop', 'lpush')],
  ['brpoplpush', moved('rpop', 'lpush')],
  ['lmove', listMoved],
  ['blmove', listMoved],
  ['blpop', poppedAny('lpop')],
  ['brpop', poppedAny('rpop')],
  ['hset', always('hset')],
  ['hmset', always('hset')],
  ['hsetnx', ifChanged('hset')],
  ['hincrby', always('hincrby')],
  ['hincrbyfloat', always('hincrbyfloat')],
  ['hdel', ifChanged('hdel')],
  ['sadd', ifChanged('sadd')],
  ['srem', ifChanged('srem')],
  ['spop', ([key], reply) => (reply === null || (Array.isArray(reply) && reply.length === 0) ? [] : one('spop', key))],
  [
    'smove',
    ([from, to], reply) => (reply === 0 ? [] : [...one('srem', from), ...one('sadd', to, reply === undefined)]),
  ],
  ['sunionstore', stored('sunionstore')],
  ['sinterstore', stored('sinterstore')],
  ['sdiffstore', stored('sdiffstore')],
  ['zadd', zadd],
  ['geoadd', maybe('zadd')],
  ['zincrby', always('zincr')],
  ['zrem', ifChanged('zrem')],
  ['zremrangebyscore', ifChanged('zremrangebyscore')],
  ['zremrangebyrank', ifChanged('zremrangebyrank')],
  ['zremrangebylex', ifChanged('zremrangebylex')],
  ['zpopmin', ([key], reply) => (Array.isArray(reply) && reply.length === 0 ? [] : one('zpopmin', key))],
  ['zpopmax', ([key], reply) => (Array.isArray(reply) && reply.length === 0 ? [] : one('zpopmax', key))],
  ['bzpopmin', poppedAny('zpopmin')],
  ['bzpopmax', poppedAny('zpopmax')],
  ['zunionstore', stored('zunionstore')],
  ['zinterstore', stored('zinterstore')],
  ['zdiffstore', stored('zdiffstore')],
  ['zrangestore', stored('zrangestore')],
  ['xadd', ([key], reply) => (reply === null ? [] : one('xadd', key))],
  ['xdel', ifChanged('xdel')],
  ['xtrim', ifChanged('xtrim')],
  ['xsetid', always('xsetid')],
]);

/** What a command can raise, from its rule with every option on. */
function possibleEvents(name: string): readonly string[] {
  const rule = RULES.get(name) as Rule;
  const tries = [
    ['k', 'k', 'v', 'ex', '1'],
    ['k', 'k', 'left', 'right'],
    ['k', 'k', 'right', 'left'],
    ['k', '0'],
    ['k', 'incr'],
    ['k', 'persist'],
  ];
  const events = tries.flatMap((args) => rule(args, undefined).map(({ event }) => event));
  const popped = tries.flatMap((args) => rule(args, ['k', 'v']).map(({ event }) => event));
  return [...events, ...popped];
}
