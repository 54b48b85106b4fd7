import { randomUUID } from 'node:crypto';
import type { RegistryKeys } from '../keys.ts';
import type { RedisAccess } from '../redis/redis-access.ts';
import { defineScript } from '../redis/script.ts';
import { createKnownRecords, type TextRecord } from './known-records.ts';
import type { StoredVariable, VariableKind } from '../variables/variable.ts';
import type { ActiveRegistration, FunctionRecord, RegistrySnapshot, Route, VersionRecord } from './registry.ts';

const READ = defineScript('registry-read', new URL('./scripts/read.lua', import.meta.url));
const COMMIT = defineScript('registry-commit', new URL('./scripts/commit.lua', import.meta.url));

/** What the registry needs of a logger; a pino logger fits. */
export interface RegistryLog {
  warn(bindings: object, message: string): void;
}

/** One command of a change: name, key, the other arguments. */
export type Write = readonly [command: 'HSET' | 'HSETNX' | 'HDEL' | 'DEL' | 'RPUSH', key: string, ...args: string[]];

/** A snapshot, and which registry it is of: another epoch means that the former one has been wiped out. */
export interface StoredSnapshot extends RegistrySnapshot {
  /** '' before the first change. */
  readonly epoch: string;
}

export interface RegistryStorage {
  /** The registry as it is now. The same object as before when nothing has changed; so are records that have not changed. */
  read(): Promise<StoredSnapshot>;
  /** Oldest first; empty for a function that is not there. */
  versions(functionName: string): Promise<readonly VersionRecord[]>;
  version(functionName: string, version: number): Promise<VersionRecord | null>;
  /** By kind and name. */
  variables(functionName: string): Promise<readonly StoredVariable[]>;
  /** Greatest version number of a removed function; 0 for one never seen. */
  lastNumber(functionName: string): Promise<number>;
  /** Carries the change out and returns the new revision; null when the registry is at another revision by now. */
  commit(revision: number, writes: readonly Write[]): Promise<number | null>;
}

type StoredRegistration = Omit<ActiveRegistration, 'routes'>;

/** The registry as it lies in Redis: what is read together is of one revision, what is written together happens at once. */
export function createRegistryStorage(
  client: RedisAccess['client'],
  keys: RegistryKeys,
  log: RegistryLog,
): RegistryStorage {
  const decode = <T>(text: string, what: string): T | null => {
    try {
      return JSON.parse(text) as T;
    } catch (reason) {
      log.warn({ err: reason, record: what }, 'a record of the registry cannot be read and is left out');
      return null;
    }
  };
  const functionRecords = createKnownRecords<FunctionRecord>();
  const registrationRecords = createKnownRecords<ActiveRegistration>();
  let last: StoredSnapshot | null = null;
  const isNewest = async (snapshot: StoredSnapshot): Promise<boolean> => {
    const [revision, epoch] = await client.mget(keys.revision, keys.epoch);
    return Number(revision ?? '0') === snapshot.revision && (epoch ?? '') === snapshot.epoch;
  };
  return {
    async read() {
      const before = last;
      if (before !== null && (await isNewest(before))) return before;
      const touched = [keys.revision, keys.functions, keys.registrations, keys.epoch];
      const reply = await READ.run(client, touched, [keys.routes('')]);
      const [revision, functions, registrations, epoch] = reply as [string, string[], (string | string[])[], string];
      const read = {
        revision: Number(revision),
        epoch,
        functions: functionRecords.read(functionTexts(functions), ({ name, texts: [text = ''] }) =>
          decode<FunctionRecord>(text, `function ${name}`),
        ),
        registrations: registrationRecords.read(registrationTexts(registrations), (record) =>
          decodeRegistration(record, decode),
        ),
      };
      last = read;
      return read;
    },
    async versions(functionName) {
      const texts = await client.hvals(keys.versions(functionName));
      const records = texts.flatMap((text) => decode<VersionRecord>(text, `a version of ${functionName}`) ?? []);
      return records.sort((a, b) => a.version - b.version);
    },
    async version(functionName, version) {
      const text = await client.hget(keys.versions(functionName), String(version));
      return text === null ? null : decode<VersionRecord>(text, `${functionName} version ${version}`);
    },
    async variables(functionName) {
      return decodeVariables(await client.hgetall(keys.variables(functionName)), decode);
    },
    lastNumber: async (functionName) => Number((await client.hget(keys.numbers, functionName)) ?? '0'),
    async commit(revision, writes) {
      const touched = [...new Set([keys.revision, keys.commit, keys.epoch, ...writes.map(([, key]) => key)])];
      const commands = writes.flatMap(([command, key, ...args]) => [
        args.length + 2,
        command,
        touched.indexOf(key) + 1,
        ...args,
      ]);
      const reply = await COMMIT.run(client, touched, [revision, randomUUID(), keys.changes, ...commands]);
      return reply === null ? null : Number(reply);
    },
  };
}

type Decode = <T>(text: string, what: string) => T | null;

function* functionTexts(flat: readonly string[]): Generator<TextRecord> {
  for (let i = 0; i + 1 < flat.length; i += 2) yield { name: flat[i] as string, texts: [flat[i + 1] as string] };
}

/** The registration itself, then its routes. */
function* registrationTexts(flat: readonly (string | readonly string[])[]): Generator<TextRecord> {
  for (let i = 0; i + 2 < flat.length; i += 3) {
    yield { name: flat[i] as string, texts: [flat[i + 1] as string, ...(flat[i + 2] as string[])] };
  }
}

function decodeRegistration({ name, texts }: TextRecord, decode: Decode): ActiveRegistration | null {
  const [text = '', ...routeTexts] = texts;
  const stored = decode<StoredRegistration>(text, `registration ${name}`);
  const routes = routeTexts.flatMap((route) => decode<Route>(route, `a route of ${name}`) ?? []);
  return stored === null ? null : { ...stored, routes };
}

type VariableRecord = Omit<StoredVariable, 'kind' | 'name'>;

/** What it is called and of which kind says the field alone. */
function decodeVariable(field: string, text: string, decode: Decode): StoredVariable | null {
  const [, kind, name = ''] = /^(env|secret):(.+)$/.exec(field) ?? [];
  const stored = kind === undefined ? null : decode<VariableRecord>(text, `variable ${field}`);
  if (stored === null) return null;
  return { ...stored, kind: kind as VariableKind, name };
}

function decodeVariables(fields: Readonly<Record<string, string>>, decode: Decode): readonly StoredVariable[] {
  const read = Object.entries(fields).flatMap(([field, text]) => decodeVariable(field, text, decode) ?? []);
  return read.sort((a, b) => (variableField(a) < variableField(b) ? -1 : 1));
}

export function variableField({ kind, name }: Pick<StoredVariable, 'kind' | 'name'>): string {
  return `${kind}:${name}`;
}

export function writeVariable(keys: RegistryKeys, functionName: string, variable: StoredVariable): Write {
  const { kind: _kind, name: _name, ...stored } = variable;
  return [
    'HSET',
    keys.variables(functionName),
    variableField(variable),
    JSON.stringify(stored satisfies VariableRecord),
  ];
}

/** Writes a registration with its routes, over what is there. */
export function writeRegistration(keys: RegistryKeys, registration: ActiveRegistration): Write[] {
  const { routes, ...stored } = registration;
  const id = registration.spec.id;
  return [
    ['HSET', keys.registrations, id, JSON.stringify(stored satisfies StoredRegistration)],
    ['DEL', keys.routes(id)],
    ...(routes.length > 0
      ? [['RPUSH', keys.routes(id), ...routes.map((route) => JSON.stringify(route))] as const]
      : []),
  ];
}

export function eraseRegistration(keys: RegistryKeys, registrationId: string): Write[] {
  return [
    ['HDEL', keys.registrations, registrationId],
    ['DEL', keys.routes(registrationId)],
  ];
}

export function writeFunction(keys: RegistryKeys, record: FunctionRecord): Write {
  return ['HSET', keys.functions, record.name, JSON.stringify(record)];
}

export function writeVersion(keys: RegistryKeys, record: VersionRecord): Write {
  return ['HSET', keys.versions(record.functionName), String(record.version), JSON.stringify(record)];
}
