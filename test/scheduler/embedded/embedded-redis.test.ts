import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commandLineOf, isRunning } from '../../../scheduler/embedded/process-identity.ts';
import {
  type EmbeddedRedis,
  type EmbeddedRedisOptions,
  startEmbeddedRedis,
} from '../../../scheduler/embedded/start-embedded-redis.ts';
import { endChild, spawnTracked } from '../../support/children.ts';
import { waitFor } from '../../support/wait.ts';

const log = pino({ level: 'silent' });

let dataDir: string;
let started: EmbeddedRedis[];
let clients: Redis[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'rg-'));
  started = [];
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.disconnect();
  for (const server of started) await server[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(options: Partial<EmbeddedRedisOptions> = {}): Promise<EmbeddedRedis> {
  const server = await startEmbeddedRedis({ dataDir, log, ...options });
  started.push(server);
  return server;
}

function connect(server: Pick<EmbeddedRedis, 'socketPath' | 'url'>): Redis {
  const retryStrategy = (times: number): number => Math.min(10 * times, 100);
  const client = server.socketPath
    ? new Redis({ path: server.socketPath, retryStrategy })
    : new Redis(server.url, { retryStrategy });
  client.on('error', () => {});
  clients.push(client);
  return client;
}

/** A process with an embedded server; resolves when the server is up. */
async function startHost(dir: string) {
  const script = fileURLToPath(new URL('./embedded-host.ts', import.meta.url));
  const child = spawnTracked(process.execPath, [script, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await waitFor(() => text.endsWith('\n'), { what: 'the host has its server' });
  const [url = '', pid = ''] = text.trim().split(' ');
  return { child, url, serverPid: Number(pid) };
}

/** Pid of the process that ends this server with its platform. */
function guardOf(serverPid: number): number {
  const found = readdirSync('/proc').find(
    (pid) => /^\d+$/.test(pid) && commandLineOf(Number(pid)).endsWith(`"$0" ${serverPid} `),
  );
  if (found === undefined) throw new Error(`nobody guards ${serverPid}`);
  return Number(found);
}

describe('the embedded server', () => {
  test('listens on a private socket, evicts nothing, keeps a log of writes and tells of changes', async () => {
    const server = await start();
    expect(server.port).toBeNull();
    expect(server.url).toBe(`unix://${server.socketPath}`);
    expect(statSync(server.socketPath ?? '').mode & 0o777).toBe(0o700);
    const client = connect(server);
    const read = async (name: string) => ((await client.config('GET', name)) as string[])[1];
    expect(await read('maxmemory-policy')).toBe('noeviction');
    expect(await read('appendonly')).toBe('yes');
    expect(await read('appendfsync')).toBe('everysec');
    expect(await read('port')).toBe('0');
    expect([...((await read('notify-keyspace-events')) ?? '')].sort().join('')).toBe('AEK');
  });

  test('has its data again after a stop', async () => {
    const first = await start();
    await connect(first).set('key', 'value');
    const { pid } = first;
    await first[Symbol.asyncDispose]();
    expect(isRunning(pid)).toBe(false);
    expect(await connect(await start()).get('key')).toBe('value');
  });

  test('is started again when it dies, at the same place and with its data', async () => {
    const server = await start();
    const client = connect(server);
    await client.set('key', 'value');
    process.kill(server.pid, 'SIGKILL');
    expect(await client.get('key')).toBe('value');
    await waitFor(() => isRunning(server.pid), { what: 'the pid is that of the new process' });
  });

  test('is stopped although it was just being started again', async () => {
    const server = await start();
    process.kill(server.pid, 'SIGKILL');
    await waitFor(() => !isRunning(server.pid), { what: 'the server died', intervalMs: 1 });
    await server[Symbol.asyncDispose]();
    expect(existsSync(join(dataDir, 'redis', 'server.json'))).toBe(false);
    expect(existsSync(join(dataDir, 'redis', 'platform.lock'))).toBe(false);
  });

  test('has its socket elsewhere when the path of the data directory is too long for one', async () => {
    const deep = join(dataDir, 'd'.repeat(60), 'e'.repeat(60));
    const server = await start({ dataDir: deep });
    const socketPath = server.socketPath ?? '';
    expect(socketPath.startsWith(deep)).toBe(false);
    expect(await connect(server).ping()).toBe('PONG');
    await server[Symbol.asyncDispose]();
    expect(existsSync(socketPath)).toBe(false);
  });

  test('has a password on a port', async () => {
    const server = await start({ useSocket: false });
    expect(server.socketPath).toBeNull();
    expect(await connect(server).ping()).toBe('PONG');
    const stranger = new Redis({ host: '127.0.0.1', port: server.port ?? 0 });
    stranger.on('error', () => {});
    clients.push(stranger);
    await expect(stranger.ping()).rejects.toThrow('NOAUTH');
  });

  test('says what the server said when it cannot start', async () => {
    mkdirSync(join(dataDir, 'redis', 'appendonlydir'), { recursive: true });
    writeFileSync(join(dataDir, 'redis', 'appendonlydir', 'appendonly.aof.manifest'), 'nonsense\n');
    await expect(start()).rejects.toMatchObject({
      code: 'EMBEDDED_REDIS_FAILED',
      message: expect.stringContaining('manifest'),
    });
    expect(readdirSync(join(dataDir, 'redis'))).not.toContain('platform.lock');
  });

  test('refuses a data directory that is a file', async () => {
    writeFileSync(join(dataDir, 'file'), '');
    await expect(start({ dataDir: join(dataDir, 'file') })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('two platforms', () => {
  test('do not share a data directory; the second is told who has it', async () => {
    const host = await startHost(dataDir);
    await expect(start()).rejects.toMatchObject({
      code: 'EMBEDDED_REDIS_FAILED',
      message: expect.stringContaining(`pid ${host.child.pid}`),
    });
    expect(isRunning(host.serverPid)).toBe(true);
    process.kill(host.serverPid, 'SIGKILL');
    await endChild(host.child, 'SIGKILL');
  });

  test('of one process do not either', async () => {
    await start();
    await expect(start()).rejects.toMatchObject({ code: 'EMBEDDED_REDIS_FAILED' });
  });

  test('that begin at the same moment do not both get it, also over the lock of a dead one', async () => {
    const host = await startHost(dataDir);
    await endChild(host.child, 'SIGKILL');
    const results = await Promise.allSettled([start(), start(), start()]);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });
});

describe('a killed platform', () => {
  test('takes its server with it, and no data are lost', async () => {
    const host = await startHost(dataDir);
    await connect({ url: host.url, socketPath: host.url.slice('unix://'.length) }).set('key', 'value');
    await endChild(host.child, 'SIGKILL');
    await waitFor(() => !isRunning(host.serverPid), { what: 'the server ends' });
    expect(await connect(await start()).get('key')).toBe('value');
  });

  test('whose server stayed behind all the same leaves the next one to stop it, and no data are lost', async () => {
    const host = await startHost(dataDir);
    await connect({ url: host.url, socketPath: host.url.slice('unix://'.length) }).set('key', 'value');
    process.kill(guardOf(host.serverPid), 'SIGKILL');
    await endChild(host.child, 'SIGKILL');
    expect(isRunning(host.serverPid)).toBe(true);
    const server = await start();
    expect(isRunning(host.serverPid)).toBe(false);
    expect(await connect(server).get('key')).toBe('value');
  });

  test('whose server pid belongs to another process now harms nobody', async () => {
    const bystander = spawnTracked('sleep', ['60']);
    mkdirSync(join(dataDir, 'redis'), { recursive: true });
    const record = { pid: bystander.pid, start: 'long ago', configFile: '/nowhere', socketDir: null };
    writeFileSync(join(dataDir, 'redis', 'server.json'), JSON.stringify(record));
    await start();
    expect(bystander.exitCode).toBeNull();
    expect(isRunning(bystander.pid ?? 0)).toBe(true);
    await endChild(bystander, 'SIGKILL');
  });
});
