import { type CommandFacts, type CommandTable, createCommandTable } from '#functions';

/**
 * What a Redis server says of its commands, for tests that have no server: flags, first key, last key, step; and the commands of
 * which this is true. `w` writes, `r` reads, `b` blocks, `m` has keys in places of its own, `p` publishes.
 */
const KNOWN: readonly (readonly [facts: string, names: string])[] = [
  [
    'w 1 1 1',
    'append bitfield decr decrby expire expireat geoadd getdel getex getset hdel hexpire hexpireat ' +
      'hgetdel hgetex hincrby hincrbyfloat hmset hpersist hpexpire hpexpireat hset hsetex hsetnx incr ' +
      'incrby incrbyfloat linsert lpop lpush lpushx lrem lset ltrim move persist pexpire pexpireat pfadd ' +
      'psetex restore restore-asking rpop rpush rpushx sadd set setbit setex setnx setrange spop srem xack ' +
      'xadd xautoclaim xclaim xdel xsetid xtrim zadd zincrby zpopmax zpopmin zrem zremrangebylex ' +
      'zremrangebyrank zremrangebyscore',
  ],
  [
    'r 1 1 1',
    'bitcount bitfield_ro bitpos dump expiretime geodist geohash geopos georadius_ro georadiusbymember_ro ' +
      'geosearch get getbit getrange hexists hexpiretime hget hgetall hkeys hlen hmget hpexpiretime hpttl ' +
      'hrandfield hscan hstrlen httl hvals lindex llen lpos lrange pexpiretime pttl scard sismember ' +
      'smembers smismember srandmember sscan strlen substr ttl type xlen xpending xrange xrevrange zcard ' +
      'zcount zlexcount zmscore zrandmember zrange zrangebylex zrangebyscore zrank zrevrange zrevrangebylex ' +
      'zrevrangebyscore zrevrank zscan zscore',
  ],
  [
    '- 0 0 0',
    'echo info lastsave memory memory|doctor memory|help memory|malloc-stats memory|purge memory|stats ' +
      'object object|help ping pubsub pubsub|help time xgroup xgroup|help xinfo xinfo|help',
  ],
  ['w 1 2 1', 'copy geosearchstore lmove rename renamenx rpoplpush smove zrangestore'],
  [
    'r 2 2 1',
    'memory|usage object|encoding object|freq object|idletime object|refcount xinfo|consumers ' +
      'xinfo|groups xinfo|stream',
  ],
  ['r 1 -1 1', 'exists mget pfcount sdiff sinter sunion touch'],
  ['w 1 -1 1', 'del pfmerge sdiffstore sinterstore sunionstore unlink'],
  ['wm 1 1 1', 'georadius georadiusbymember sort zdiffstore zinterstore zunionstore'],
  ['p 0 0 0', 'publish pubsub|channels pubsub|numpat pubsub|numsub pubsub|shardchannels pubsub|shardnumsub'],
  ['r 0 0 0', 'dbsize keys lolwut randomkey scan'],
  ['rm 0 0 0', 'sintercard zdiff zinter zintercard zunion'],
  ['w 2 2 1', 'xgroup|create xgroup|createconsumer xgroup|delconsumer xgroup|destroy xgroup|setid'],
  ['wm 0 0 0', 'lmpop zmpop'],
  ['w 1 -1 2', 'mset msetnx'],
  ['w 2 -1 1', 'bitop'],
  ['wbm 0 0 0', 'xreadgroup'],
  ['r 1 2 1', 'lcs'],
  ['wm 3 3 1', 'migrate'],
  ['rm 1 1 1', 'sort_ro'],
  ['p 1 1 1', 'spublish'],
  ['rbm 0 0 0', 'xread'],
];

const FLAGS: Readonly<Record<string, string>> = {
  w: 'write',
  r: 'readonly',
  b: 'blocking',
  m: 'movablekeys',
  p: 'pubsub',
};

/** A command nobody knows here may be one of a newer server or of a module: it is taken for one that writes its first argument. */
function unknown(name: string): CommandFacts {
  const flags = new Set(['write']);
  return { name, firstKey: 1, lastKey: 1, step: 1, flags, requestPolicy: null, responsePolicy: null };
}

/** The command table of a server that is not there. */
export function offlineCommandTable(): CommandTable {
  const table = createCommandTable(KNOWN.flatMap(([facts, names]) => names.split(' ').map((name) => row(facts, name))));
  return {
    find: (name, sub) => table.find(name, sub) ?? unknown(name.toLowerCase()),
    keysOf: (args) => (table.find(args[0] ?? '', args[1]) === undefined ? args.slice(1, 2) : table.keysOf(args)),
  };
}

/** As COMMAND replies. */
function row(facts: string, name: string): unknown {
  const [flags = '', ...numbers] = facts.split(' ');
  const words = [...flags].flatMap((letter) => FLAGS[letter] ?? []);
  return [name, 0, words, ...numbers.map(Number), [], [], [], []];
}
