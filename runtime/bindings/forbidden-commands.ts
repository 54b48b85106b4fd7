/**
 * What no function may send, whatever the server's own command table says: a table that a restricted account sees
 * half of, or that an old server flags less strictly, opens nothing. Names are lower case.
 */

const CONNECTION = 'it would change the connection that all functions share';
const BLOCKING = 'it blocks the connection that all functions share';
const ADMINISTRATION = 'it administers the server';
const SCRIPT = 'what a script does cannot be checked';
const EVERYBODY = 'it removes or moves data of everybody';
const SUBSCRIPTION = 'a function cannot receive messages';
const TRANSACTION = 'use atomic(() => { ... }) for transactions';
const PLATFORM = "it is the platform's own command";

const REASONS: readonly (readonly [reason: string, names: string])[] = [
  [CONNECTION, 'auth hello select client reset quit asking readonly readwrite'],
  [TRANSACTION, 'multi exec discard watch unwatch'],
  [BLOCKING, 'blpop brpop brpoplpush blmove blmpop bzpopmin bzpopmax bzmpop wait waitaof'],
  [SUBSCRIPTION, 'subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe'],
  [
    ADMINISTRATION,
    'acl bgrewriteaof bgsave commandlog config debug failover latency lastsave migrate module monitor pfdebug pfselftest ' +
      'psync replconf replicaof restore-asking role save shutdown slaveof slowlog sync sentinel hotkeys trimslots',
  ],
  [SCRIPT, 'eval eval_ro evalsha evalsha_ro fcall fcall_ro function script tfcall tfcallasync tfunction'],
  [EVERYBODY, 'flushall flushdb swapdb'],
];

const FORBIDDEN: ReadonlyMap<string, string> = new Map(
  REASONS.flatMap(([reason, names]) => names.split(' ').map((name) => [name, reason] as const)),
);

/** Server flags that forbid a command, beyond the names above. */
const FORBIDDEN_FLAGS: ReadonlyMap<string, string> = new Map([
  ['admin', ADMINISTRATION],
  ['noscript', CONNECTION],
  ['blocking', BLOCKING],
]);

/** Of these only the listed sub-commands may be sent. */
const ALLOWED_SUBCOMMANDS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['cluster', new Set(['keyslot', 'countkeysinslot'])],
  ['memory', new Set(['usage'])],
]);

/** Blocking by flag, but harmless without `BLOCK`: looked at argument by argument. */
export const BLOCKING_BY_OPTION: ReadonlySet<string> = new Set(['xread', 'xreadgroup']);

/** Commands without keys whose arguments may look like a platform key without touching one. */
export const WITHOUT_KEYS: ReadonlySet<string> = new Set([
  'command',
  'dbsize',
  'echo',
  'info',
  'keys',
  'lolwut',
  'ping',
  'pubsub',
  'randomkey',
  'scan',
  'time',
]);

/** Keys come after a sub-command: every argument counts as a key. */
export const CONTAINERS: ReadonlySet<string> = new Set(['memory', 'object', 'xgroup', 'xinfo']);

/** Why a name may never be sent, or null. */
export function forbiddenName(name: string): string | null {
  const reason = FORBIDDEN.get(name);
  if (reason !== undefined) return reason;
  if (name.startsWith('rg.')) return PLATFORM;
  if (name.startsWith('_') || name.endsWith('.config') || name.endsWith('.debug')) return ADMINISTRATION;
  return null;
}

/** Why a command with these server flags may not be sent, or null. */
export function forbiddenFlags(name: string, flags: ReadonlySet<string>): string | null {
  for (const [flag, reason] of FORBIDDEN_FLAGS) {
    if (flags.has(flag) && !(flag === 'blocking' && BLOCKING_BY_OPTION.has(name))) return reason;
  }
  return null;
}

/** Sub-commands that may be sent, or null where no list restricts them. */
export function allowedSubcommands(name: string): ReadonlySet<string> | null {
  return ALLOWED_SUBCOMMANDS.get(name) ?? null;
}

/** Why these arguments of XREAD or XREADGROUP may not be sent (they would block), or null. */
export function blocksByOption(args: readonly string[]): string | null {
  let at = args[0]?.toLowerCase() === 'xreadgroup' ? 4 : 1;
  while (at < args.length) {
    const option = args[at]?.toLowerCase();
    if (option === 'streams') return null;
    if (option === 'block') return BLOCKING;
    at += option === 'count' || option === 'claim' ? 2 : 1;
  }
  return null;
}

/** Why the BY and GET patterns of SORT may not be sent (they could read platform keys), or null. */
export function sortReaches(args: readonly string[], prefix: string): string | null {
  for (let at = 2; at < args.length - 1; at += 1) {
    const option = args[at]?.toLowerCase();
    if (option !== 'by' && option !== 'get') continue;
    const pattern = args[at + 1] ?? '';
    const star = pattern.indexOf('*');
    const fixed = star < 0 ? pattern : pattern.slice(0, star);
    const reaches = fixed.startsWith(prefix) || (star >= 0 && prefix.startsWith(fixed));
    if (reaches) return `its pattern could read keys that begin with "${prefix}", which belong to the platform`;
  }
  return null;
}
