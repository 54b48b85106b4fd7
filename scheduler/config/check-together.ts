import { parseRedisUrl } from '#functions';
import type { Settings } from '../settings.ts';

/** What is wrong with values that are each allowed alone. */
export function checkTogether(settings: Settings): { readonly text: string }[] {
  const { fleet, delivery } = settings;
  const problems: string[] = [];
  if (fleet.heartbeatTimeoutMs < 2 * fleet.heartbeatMs) {
    problems.push(
      `heartbeat-timeout is ${fleet.heartbeatTimeoutMs}ms and heartbeat is ${fleet.heartbeatMs}ms: ` +
        'the time-out must be at least twice the period, or living nodes are taken for dead',
    );
  }
  if (fleet.heartbeatTimeoutMs <= delivery.blockMs + fleet.heartbeatMs) {
    problems.push(
      `heartbeat-timeout is ${fleet.heartbeatTimeoutMs}ms, block is ${delivery.blockMs}ms and heartbeat is ` +
        `${fleet.heartbeatMs}ms: the time-out must be longer than the other two together, or a read of a dead node may ` +
        'still take entries when another one has its streams',
    );
  }
  if (delivery.retryCeilingMs < delivery.retryIntervalMs) {
    problems.push(
      `retry-ceiling is ${delivery.retryCeilingMs}ms and retry-interval is ${delivery.retryIntervalMs}ms: ` +
        'the ceiling must not be below the first wait',
    );
  }
  if (settings.respPort !== 0 && settings.respPort === settings.httpPort && settings.respHost === settings.httpHost) {
    problems.push(`resp-port and http-port are both ${settings.respPort}: give the doors different ports`);
  }
  problems.push(...openDoors(settings));
  return problems.map((text) => ({ text }));
}

/** Without credentials the doors stay on this machine: whoever reaches one could run code and read all data. */
function openDoors(settings: Settings): string[] {
  if (hasCredentials(settings.redisUrl)) return [];
  const hosts = { 'resp-host': settings.respHost, 'http-host': settings.httpHost };
  return Object.entries(hosts)
    .filter(([, host]) => !isLoopback(host))
    .map(
      ([name, host]) =>
        `${name} is ${host}, but no credentials are configured: allowed is a loopback address such as 127.0.0.1, ` +
        'or a Redis that asks for a password and a --redis URL that holds it',
    );
}

function hasCredentials(redisUrl: string | null): boolean {
  return redisUrl !== null && parseRedisUrl(redisUrl).password !== undefined;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
