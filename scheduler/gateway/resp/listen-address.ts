import { isIP } from 'node:net';
import { PlatformError, type RedisAccess } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';
import { openSocket } from './passage.ts';

/** True for addresses that only programs on this machine can reach. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const bare = host.replace(/^\[|\]$/g, '').replace(/^::ffff:/i, '');
  return isIP(bare) === 4 ? bare.startsWith('127.') : bare === '::1';
}

/** Asks Redis, without authenticating, whether it wants a password. Rejects with REDIS_UNREACHABLE. */
export function wantsAuthentication(access: Pick<RedisAccess, 'shards' | 'endpointOf'>): Promise<boolean> {
  const [shard] = access.shards();
  if (shard === undefined) {
    return Promise.reject(new PlatformError('REDIS_UNREACHABLE', 'no shard of the Redis behind the door is known'));
  }
  return new Promise((resolve, reject) => {
    const socket = openSocket(access.endpointOf(shard));
    let reply = '';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      reply += text;
      if (!reply.includes('\n')) return;
      socket.destroy();
      resolve(reply.startsWith('-NOAUTH'));
    });
    // `close` follows.
    socket.on('error', () => {});
    socket.on('close', () =>
      reject(new PlatformError('REDIS_UNREACHABLE', 'the Redis behind the door does not answer')),
    );
    socket.write('PING\r\n');
  });
}

/** A door that anybody can reach needs a Redis that asks for a password. CONFIG_INVALID. */
export function checkListenAddress(host: string, asksPassword: boolean): void {
  if (asksPassword || isLoopback(host)) return;
  throw new PlatformError<SchedulerErrorCode>(
    'CONFIG_INVALID',
    `resp-host ${host} can be reached by other machines, but the Redis behind it lets everybody in: give its default user a password (requirepass or ACL), or listen on 127.0.0.1`,
    { details: { setting: 'resp-host', value: host } },
  );
}
