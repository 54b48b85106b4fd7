import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { endChild } from './children.ts';
import { freePort } from './free-port.ts';
import { launch, startRedis, type TestRedis } from './redis.ts';
import { waitFor } from './wait.ts';

export interface TestSentinel extends AsyncDisposable {
  /** `redis+sentinel://host:port/name`. */
  readonly url: string;
  readonly name: string;
  readonly sentinelPort: number;
  /** The server that was primary at the start, and its replica. */
  readonly primary: TestRedis;
  readonly replica: TestRedis;
  /** Port of the present primary as the sentinel says. */
  primaryPort(): Promise<number>;
  /** Promotes the other server and resolves when the sentinel has made the switch. */
  failover(): Promise<void>;
}

const NAME = 'regears-primary';
const HOST = '127.0.0.1';

/** Starts a primary, its replica and one sentinel (quorum 1, down after 500 ms); resolves when they know each other. */
export async function startSentinel(): Promise<TestSentinel> {
  const dir = mkdtempSync(join(tmpdir(), 'regears-sentinel-'));
  const extra = ['--repl-diskless-sync-delay', '0'];
  const primary = await startRedis({ args: extra });
  const replica = await startRedis({ args: [...extra, '--replicaof', HOST, String(primary.port)] });
  const probe = replica.client();
  await waitFor(async () => (await probe.info('replication')).includes('master_link_status:up'), {
    what: 'the replica follows its primary',
  });
  const sentinelPort = await freePort();
  const file = join(dir, 'sentinel.conf');
  writeFileSync(file, sentinelConfig(sentinelPort, primary.port, dir));
  const running = await launch([file, '--sentinel'], /Sentinel ID is/);
  const client = new Redis({ host: HOST, port: sentinelPort });
  client.on('error', () => {});
  await waitFor(async () => ((await client.call('SENTINEL', 'REPLICAS', NAME)) as unknown[]).length === 1, {
    what: 'the sentinel has found the replica',
  });
  const primaryPort = async (): Promise<number> => {
    const [, port] = (await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as [string, string];
    return Number(port);
  };
  return {
    url: `redis+sentinel://${HOST}:${sentinelPort}/${NAME}`,
    name: NAME,
    sentinelPort,
    primary,
    replica,
    primaryPort,
    async failover() {
      const before = await primaryPort();
      await waitFor(async () => (await client.call('SENTINEL', 'FAILOVER', NAME)) === 'OK', {
        intervalMs: 50,
        what: 'the sentinel accepts a failover',
      });
      await waitFor(async () => (await primaryPort()) !== before, { what: 'the failover is done' });
    },
    async [Symbol.asyncDispose]() {
      client.disconnect();
      await endChild(running.child, 'SIGKILL');
      await replica[Symbol.asyncDispose]();
      await primary[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function sentinelConfig(port: number, primaryPort: number, dir: string): string {
  return [
    `port ${port}`,
    `bind ${HOST}`,
    `dir ${dir}`,
    `sentinel monitor ${NAME} ${HOST} ${primaryPort} 1`,
    `sentinel down-after-milliseconds ${NAME} 500`,
    `sentinel failover-timeout ${NAME} 3000`,
    '',
  ].join('\n');
}
