import type { Logger } from 'pino';
import type { RedisAccess } from '#functions';
import type { DoorSettings } from '../../settings.ts';
import type { Permission } from '../operations/operation.ts';

/** Who may do what with functions: asked of the ACL of the Redis behind, remembered for a few seconds. */
export interface Permissions {
  /** What is remembered; undefined = `check` must be asked. */
  known(user: string, permission: Permission): boolean | undefined;
  /** Rejects when Redis could not be asked. */
  check(user: string, permission: Permission): Promise<boolean>;
}

export interface PermissionsOptions {
  readonly access: Pick<RedisAccess, 'facts' | 'client'>;
  readonly door: Pick<DoorSettings, 'invokeUsers' | 'manageUsers'>;
  readonly log: Logger;
}

const REMEMBER_MS = 3_000;
const MOST_REMEMBERED = 10_000;

/** The command of Redis whose permission ours needs. */
const ASKED_LIKE: Readonly<Record<Permission, readonly string[]>> = {
  invoke: ['FCALL', 'rg', '0'],
  manage: ['FUNCTION', 'LOAD', '#!'],
  read: ['FUNCTION', 'LIST'],
};

export function createPermissions({ access, door, log }: PermissionsOptions): Permissions {
  const remembered = new Map<string, { readonly allowed: boolean; readonly untilMs: number }>();
  const asking = new Map<string, Promise<boolean>>();
  let canDryRun = access.facts.aclDryRun;

  const ask = async (user: string, permission: Permission): Promise<boolean> => {
    if (!canDryRun) return byRole(door, user, permission);
    try {
      return (await dryRun(access, user, permission)) === 'OK';
    } catch (error) {
      if (isUnknownUser(error)) return false;
      if (!isReplyError(error)) throw error;
      canDryRun = false;
      log.warn({ err: error }, 'ACL DRYRUN is refused: permissions follow door settings invoke-users and manage-users');
      return byRole(door, user, permission);
    }
  };

  return {
    known(user, permission) {
      const entry = remembered.get(`${permission} ${user}`);
      return entry !== undefined && entry.untilMs > Date.now() ? entry.allowed : undefined;
    },
    check(user, permission) {
      const key = `${permission} ${user}`;
      const running = asking.get(key);
      if (running !== undefined) return running;
      const question = ask(user, permission).then((allowed) => {
        if (remembered.size >= MOST_REMEMBERED) remembered.clear();
        remembered.set(key, { allowed, untilMs: Date.now() + REMEMBER_MS });
        return allowed;
      });
      asking.set(key, question);
      const done = (): void => void asking.delete(key);
      question.then(done, done);
      return question;
    },
  };
}

async function dryRun(access: Pick<RedisAccess, 'client'>, user: string, permission: Permission): Promise<unknown> {
  const { client } = access;
  // ACLs are kept per server: in a cluster any primary can be asked, provided they are the same everywhere.
  const asked = 'nodes' in client ? (client.nodes('master')[0] ?? client) : client;
  return asked.call('ACL', 'DRYRUN', Buffer.from(user, 'latin1'), ...ASKED_LIKE[permission]);
}

function byRole(door: PermissionsOptions['door'], user: string, permission: Permission): boolean {
  const { invokeUsers, manageUsers } = door;
  const may = (users: readonly string[]): boolean => users.includes('*') || users.includes(user);
  if (permission === 'manage') return may(manageUsers);
  return may(invokeUsers) || may(manageUsers);
}

function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

function isUnknownUser(error: unknown): boolean {
  return isReplyError(error) && /user .* not found/i.test(error.message);
}
