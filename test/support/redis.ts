import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { endChild, spawnTracked } from './children.ts';
import { freePort } from './free-port.ts';

export interface TestRedisOptions {
  /** Append-only file with fsync always: what was acknowledged survives `kill()` and `restart()`. */
  readonly aof?: boolean;
  readonly password?: string;
  /** Lines of an ACL file without the word `user`, such as `app on >secret ~* &* +@all`. */
  readonly aclUsers?: readonly string[];
  /** TLS only, with a certificate made for this server; its CA file is in `caFile` and in `url`. */
  readonly tls?: boolean;
  /** Listens on a unix socket too; see `socketUrl`. */
  readonly unixSocket?: boolean;
  /** `notify-keyspace-events`. */
  readonly notifications?: string;
  /** More arguments of redis-server, such as `['--maxmemory', '10mb']`. */
  readonly args?: readonly string[];
}

export interface TestRedis extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** What `--redis` takes, password and CA included. */
  readonly url: string;
  /** `unix:///…`, empty without the option. */
  readonly socketUrl: string;
  readonly dir: string;
  readonly caFile: string;
  readonly pid: number;
  /** What the server printed. */
  log(): string;
  /** A new ioredis client; closed together with the server. */
  client(options?: RedisOptions): Redis;
  /** SIGTERM, resolves when the process has gone. */
  stop(): Promise<void>;
  /** SIGKILL, resolves when the process has gone. */
  kill(): Promise<void>;
  /** Starts the process again on the same port and directory (kills it first if it still runs). */
  restart(): Promise<void>;
}

const HOST = '127.0.0.1';

/** Starts a private redis-server on a free loopback port; `await using` ends it and removes its directory. */
export async function startRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const dir = mkdtempSync(join(tmpdir(), 'regears-redis-'));
  const fixedArgs = [...baseArgs(dir), ...optionArgs(dir, options)];
  let port = 0;
  let server: RunningServer | undefined;
  for (let attempt = 1; !server; attempt++) {
    port = await freePort();
    server = await launch([...portArgs(port, options), ...fixedArgs]).catch((error: unknown) => {
      if (attempt >= 5 || !String(error).includes('ddress already in use')) throw error;
      return undefined;
    });
  }
  let running = server;
  const clients = new Set<Redis>();
  return {
    host: HOST,
    port,
    url: urlOf(port, dir, options),
    socketUrl: options.unixSocket ? `unix://${join(dir, 'redis.sock')}` : '',
    dir,
    caFile: options.tls ? join(dir, 'tls.crt') : '',
    get pid() {
      return running.child.pid ?? 0;
    },
    log: () => running.output(),
    client(overrides = {}) {
      const client = new Redis({ ...clientOptions(port, dir, options), ...overrides, replyMapping: 'legacy' });
      client.on('error', () => {});
      client.once('end', () => clients.delete(client));
      clients.add(client);
      return client;
    },
    stop: () => endChild(running.child, 'SIGTERM'),
    kill: () => endChild(running.child, 'SIGKILL'),
    async restart() {
      await endChild(running.child, 'SIGKILL');
      running = await launch([...portArgs(port, options), ...fixedArgs]);
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.disconnect();
      await endChild(running.child, 'SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

interface RunningServer {
  readonly child: ReturnType<typeof spawnTracked>;
  output(): string;
}

/** Starts redis-server and resolves when it says that it accepts connections (data loaded). */
export function launch(args: readonly string[], readyText = /Ready to accept connections/): Promise<RunningServer> {
  const child = spawnTracked('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`redis-server was not ready after 20 s:\n${output}`));
    }, 20_000);
    const onText = (chunk: Buffer): void => {
      output = (output + chunk.toString('latin1')).slice(-100_000);
      if (!readyText.test(output)) return;
      clearTimeout(timer);
      resolve({ child, output: () => output });
    };
    child.stdout?.on('data', onText);
    child.stderr?.on('data', onText);
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      reject(new Error(`redis-server ended before it was ready:\n${output}`));
    });
  });
}

export function baseArgs(dir: string): string[] {
  return ['--bind', HOST, '--dir', dir, '--save', '', '--daemonize', 'no', '--loglevel', 'notice'];
}

function portArgs(port: number, options: TestRedisOptions): string[] {
  return options.tls ? ['--port', '0', '--tls-port', String(port)] : ['--port', String(port)];
}

function optionArgs(dir: string, options: TestRedisOptions): string[] {
  const args: string[] = [];
  if (options.aof) args.push('--appendonly', 'yes', '--appendfsync', 'always');
  if (options.password) args.push('--requirepass', options.password);
  if (options.notifications) args.push('--notify-keyspace-events', options.notifications);
  if (options.unixSocket) args.push('--unixsocket', join(dir, 'redis.sock'));
  if (options.aclUsers) {
    const file = join(dir, 'users.acl');
    const defaultUser = options.aclUsers.some((line) => line.startsWith('default '))
      ? []
      : ['default on nopass ~* &* +@all'];
    writeFileSync(file, [...defaultUser, ...options.aclUsers].map((line) => `user ${line}\n`).join(''));
    args.push('--aclfile', file);
  }
  if (options.tls) {
    makeCertificate(dir);
    const crt = join(dir, 'tls.crt');
    args.push('--tls-cert-file', crt, '--tls-key-file', join(dir, 'tls.key'), '--tls-ca-cert-file', crt);
    args.push('--tls-auth-clients', 'no');
  }
  return [...args, ...(options.args ?? [])];
}

function makeCertificate(dir: string): void {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-days', '2'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', join(dir, 'tls.key')];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', join(dir, 'tls.crt'), ...subject], { stdio: 'ignore' });
}

function urlOf(port: number, dir: string, options: TestRedisOptions): string {
  const credentials = options.password ? `:${encodeURIComponent(options.password)}@` : '';
  if (!options.tls) return `redis://${credentials}${HOST}:${port}`;
  return `rediss://${credentials}${HOST}:${port}?ca=${encodeURIComponent(join(dir, 'tls.crt'))}`;
}

function clientOptions(port: number, dir: string, options: TestRedisOptions): RedisOptions {
  return {
    host: HOST,
    port,
    retryStrategy: (times) => Math.min(50 * times, 500),
    ...(options.password ? { password: options.password } : {}),
    ...(options.tls ? { tls: { ca: readCertificate(dir) } } : {}),
  };
}

function readCertificate(dir: string): string {
  return readFileSync(join(dir, 'tls.crt'), 'utf8');
}
