/** Finds the keys of one command whose keys have no fixed place. `args` begins with the command name. */
export type KeyFinder = (args: readonly string[]) => readonly string[];

/** Keys that follow a count: `at` is its position, `step` 2 when a value follows each key. */
function counted(at: number, step = 1): KeyFinder {
  return (args) => {
    const count = Number(args[at]);
    if (!Number.isInteger(count) || count < 1) return [];
    return args.slice(at + 1, at + 1 + count * step).filter((_, i) => i % step === 0);
  };
}

/** A destination first, then counted keys. */
const storing: KeyFinder = (args) => [...args.slice(1, 2), ...counted(2)(args)];

/** What follows STREAMS: as many keys as ids. The options before it are walked, since names may be called STREAMS. */
function afterStreams(firstOption: number): KeyFinder {
  return (args) => {
    for (let at = firstOption; at < args.length; at++) {
      const option = args[at]?.toUpperCase();
      if (option === 'STREAMS') {
        const rest = args.slice(at + 1);
        return rest.slice(0, Math.ceil(rest.length / 2));
      }
      if (option === 'COUNT' || option === 'BLOCK' || option === 'CLAIM') at++;
    }
    return [];
  };
}

/** The key, the destination, and the patterns by which SORT reads other keys. */
const sortKeys: KeyFinder = (args) => {
  const keys = args.slice(1, 2);
  for (let at = 2; at < args.length; at++) {
    const option = args[at]?.toUpperCase();
    const value = args[at + 1];
    if (option === 'LIMIT') at += 2;
    else if (value !== undefined && (option === 'STORE' || option === 'BY' || option === 'GET')) {
      if (option === 'STORE' || value.includes('*')) keys.push(value);
      at++;
    }
  }
  return keys;
};

/** The key, and what follows STORE or STOREDIST behind the fixed arguments. */
function geoKeys(firstOption: number): KeyFinder {
  return (args) => {
    const keys = args.slice(1, 2);
    for (let at = firstOption; at < args.length; at++) {
      const option = args[at]?.toUpperCase();
      const value = args[at + 1];
      if (option === 'COUNT') at++;
      else if ((option === 'STORE' || option === 'STOREDIST') && value !== undefined) {
        keys.push(value);
        at++;
      }
    }
    return keys;
  };
}

const migrateKeys: KeyFinder = (args) => {
  const single = args[3];
  if (single) return [single];
  for (let at = 6; at < args.length; at++) {
    const option = args[at]?.toUpperCase();
    if (option === 'KEYS') return args.slice(at + 1);
    if (option === 'AUTH') at++;
    else if (option === 'AUTH2') at += 2;
  }
  return [];
};

const scriptKeys = counted(2);

/** By lower-case name. Commands not listed have their keys where COMMAND says. */
export const MOVABLE_KEYS: ReadonlyMap<string, KeyFinder> = new Map([
  ['eval', scriptKeys],
  ['evalsha', scriptKeys],
  ['eval_ro', scriptKeys],
  ['evalsha_ro', scriptKeys],
  ['fcall', scriptKeys],
  ['fcall_ro', scriptKeys],
  ['xread', afterStreams(1)],
  ['xreadgroup', afterStreams(4)],
  ['sort', sortKeys],
  ['sort_ro', sortKeys],
  ['zunion', counted(1)],
  ['zinter', counted(1)],
  ['zdiff', counted(1)],
  ['zintercard', counted(1)],
  ['sintercard', counted(1)],
  ['lmpop', counted(1)],
  ['zmpop', counted(1)],
  ['blmpop', counted(2)],
  ['bzmpop', counted(2)],
  ['msetex', counted(1, 2)],
  ['zunionstore', storing],
  ['zinterstore', storing],
  ['zdiffstore', storing],
  ['georadius', geoKeys(6)],
  ['georadiusbymember', geoKeys(5)],
  ['migrate', migrateKeys],
]);
