import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { resolveSettings, settingRows, variableOf } from '../scheduler/config.ts';
import type { Settings } from '../scheduler/settings.ts';
import { endChild } from './support/children.ts';
import { freePort } from './support/free-port.ts';
import { startPlatformProcess } from './support/platform.ts';
import { launch } from './support/redis.ts';
import { waitFor } from './support/wait.ts';

const run = promisify(execFile);
const ROOT = new URL('../', import.meta.url);
const PASSWORD = 'secret123';
/** What a node may take for its end beyond the drain: CLOSING_MS of `scheduler/cli/node-process.ts`. */
const CLOSING_SECONDS = 5;

function read(name: string): string {
  return readFileSync(new URL(`docs/deploy/${name}`, ROOT), 'utf8');
}

interface Service {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly healthcheck: { readonly test: readonly string[] };
  readonly build: { readonly context: string; readonly dockerfile: string };
  readonly stop_grace_period: string;
  readonly ports: readonly string[];
}

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly args: readonly string[];
  readonly env: readonly Variable[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly stringData?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly selector: object;
    readonly ports: readonly { readonly targetPort: string; readonly port: number }[];
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: { readonly terminationGracePeriodSeconds: number; readonly containers: readonly Container[] };
    };
  };
}

const dockerfile = read('Dockerfile');
const unit = read('regears.service');
const services = (parse(read('compose.yaml')) as { services: Readonly<Record<'redis' | 'regears', Service>> }).services;
const manifests = parseAllDocuments(read('kubernetes.yaml')).map((document) => {
  expect(document.errors).toEqual([]);
  return document.toJS() as Manifest;
});
const deployment = manifestOf('Deployment');
const pod = deployment.spec.template.spec;
const container = pod.containers[0] as Container;

function manifestOf(kind: string): Manifest {
  return manifests.find((one) => one.kind === kind) as Manifest;
}

/** Names and values as a shell or compose would give them. */
function variables(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...text.matchAll(/\b(REGEARS_\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

function filled(text: string): string {
  return text.replaceAll(/\$\{REDIS_PASSWORD(?::\?[^}]*)?\}/g, PASSWORD);
}

const kubernetesVariables = Object.fromEntries(
  container.env.map(({ name, value, valueFrom }) => [
    name,
    value ?? manifestOf('Secret').stringData?.[valueFrom?.secretKeyRef.key ?? ''] ?? '',
  ]),
);
const composeVariables = Object.fromEntries(
  Object.entries(services.regears.environment).map(([name, value]) => [name, filled(value)]),
);

/** What each way of running a node sets. */
const WAYS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Dockerfile: { REGEARS_REDIS: 'redis://regears:x@redis:6379', ...variables(dockerfile) },
  'compose.yaml': composeVariables,
  'regears.service': variables(unit),
  'kubernetes.yaml': kubernetesVariables,
};

function drainSeconds(way: string): number {
  const seconds = /^(\d+)s$/.exec(WAYS[way]?.REGEARS_DRAIN_TIMEOUT ?? '')?.[1];
  expect(seconds).toBeDefined();
  return Number(seconds);
}

describe.each(Object.keys(WAYS))('%s', (way) => {
  test('sets variables that the table of settings has, with values that it takes', () => {
    const known = settingRows().map(([, { name }]) => variableOf(name));
    const set = Object.keys(WAYS[way] ?? {});
    expect(set.length).toBeGreaterThan(0);
    expect(set.filter((name) => !known.includes(name))).toEqual([]);
    const settings = resolveWith(WAYS[way] ?? {}, way === 'kubernetes.yaml' ? container.args : ['start']);
    expect(settings.delivery.drainMs).toBe(drainSeconds(way) * 1000);
    expect(settings.redisUrl).toMatch(/^redis:\/\/regears:/);
  });
});

/** The settings as a node finds them: `start` and pairs of flag and value. */
function resolveWith(env: Readonly<Record<string, string>>, [command, ...rest]: readonly string[]): Settings {
  expect(command).toBe('start');
  const flags: Record<string, string> = {};
  for (let at = 0; at < rest.length; at += 2) flags[(rest[at] ?? '').replace(/^--/, '')] = rest[at + 1] ?? '';
  return resolveSettings({ flags, env, file: {} }).settings;
}

test('every way to stop a node waits for its drain and its closing', () => {
  const [, unitSeconds] = /^TimeoutStopSec=(\d+)s$/m.exec(unit) ?? [];
  expect(Number(unitSeconds)).toBeGreaterThanOrEqual(drainSeconds('regears.service') + CLOSING_SECONDS);
  const composeSeconds = Number(services.regears.stop_grace_period.replace(/s$/, ''));
  expect(composeSeconds).toBeGreaterThanOrEqual(drainSeconds('compose.yaml') + CLOSING_SECONDS);
  const [program, preStopSeconds] = container.lifecycle.preStop.exec.command;
  expect(program).toBe('sleep');
  expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
    Number(preStopSeconds) + drainSeconds('kubernetes.yaml') + CLOSING_SECONDS,
  );
  const node = readFileSync(new URL('scheduler/cli/node-process.ts', ROOT), 'utf8');
  expect(node).toContain(`CLOSING_MS = ${CLOSING_SECONDS}_000`);
});

test('the manifests belong together', () => {
  expect(manifests.map(({ kind }) => kind)).toEqual(['Secret', 'Deployment', 'Service', 'PodDisruptionBudget']);
  const { labels } = deployment.spec.template.metadata;
  expect(deployment.spec.selector).toEqual({ matchLabels: labels });
  expect(manifestOf('PodDisruptionBudget').spec.selector).toEqual({ matchLabels: labels });
  expect(manifestOf('Service').spec.selector).toEqual(labels);
  const names = container.ports.map(({ name }) => name);
  expect(manifestOf('Service').spec.ports.map(({ targetPort }) => targetPort)).toEqual(names);
  const [secret] = container.env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []);
  expect(secret?.name).toBe(manifestOf('Secret').metadata.name);
  for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
    expect(names).toContain(probe.httpGet.port);
  }
});

test('ports are the defaults of the doors everywhere', () => {
  const { respPort, httpPort } = resolveWith({}, ['start']);
  expect(dockerfile).toContain(`EXPOSE ${respPort} ${httpPort}`);
  expect(container.ports.map((port) => port.containerPort)).toEqual([respPort, httpPort]);
  expect(services.regears.ports.map((port) => Number(port.split(':').at(-1)))).toEqual([respPort, httpPort]);
});

test('the image is made of two stages, runs as a number that is not root, and copies what the package has', () => {
  expect(dockerfile.match(/^FROM \S+/gm)).toHaveLength(2);
  const lastStage = dockerfile.slice(dockerfile.lastIndexOf('FROM '));
  expect(/^USER (\d+):\d+$/m.exec(lastStage)?.[1]).toBe('1000');
  const copied = [...lastStage.matchAll(/^COPY --from=build (.*) \S+$/gm)].flatMap(([, from = '']) => from.split(' '));
  const paths = copied.map((path) => path.replace('/build/', ''));
  const made = ['dist', 'node_modules'];
  expect(paths.filter((path) => !made.includes(path) && globSync(path, { cwd: ROOT }).length === 0)).toEqual([]);
  const { files } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as { files: string[] };
  expect(files.filter((path) => !path.endsWith('.md') && !paths.includes(path))).toEqual([]);
  expect(
    existsSync(
      new URL(
        services.regears.build.dockerfile,
        new URL(`${services.regears.build.context}/`, new URL('docs/deploy/', ROOT)),
      ),
    ),
  ).toBe(true);
});

test('the Redis of the compose file takes a node, and every probe answers', async () => {
  const port = await freePort();
  const data = mkdtempSync(join(tmpdir(), 'regears-compose-'));
  const [, ...args] = services.redis.command.map((arg) => (arg === '/data' ? data : filled(arg)));
  const server = await launch([...args, '--port', String(port)]);
  try {
    const url = (composeVariables.REGEARS_REDIS ?? '').replace('@redis:6379', `@127.0.0.1:${port}`);
    const flags = ['--resp-host', '0.0.0.0', '--http-host', '0.0.0.0'];
    await using node = await startPlatformProcess({ redisUrl: url, flags });
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
    for (const { httpGet } of probes) {
      expect((await fetch(`http://127.0.0.1:${node.httpPort}${httpGet.path}`)).status).toBe(200);
    }
    const [, check = ''] = /CMD \["node", "-e", "(.*)"\]/.exec(dockerfile) ?? [];
    await run(process.execPath, ['-e', check.replace('8380', String(node.httpPort))]);
    await expect(run(process.execPath, ['-e', check.replace('8380', String(port))])).rejects.toMatchObject({ code: 1 });
    const [, program = '', ...ping] = services.redis.healthcheck.test;
    const env = { ...process.env, REDISCLI_AUTH: filled(services.redis.environment.REDISCLI_AUTH ?? '') };
    expect((await run(program, ['-p', String(port), ...ping], { env })).stdout.trim()).toBe('PONG');
    await worksThroughTheDoor(node.respPort);
    expect(await node.stop()).toBe(0);
  } finally {
    await endChild(server.child, 'SIGKILL');
    rmSync(data, { recursive: true, force: true });
  }
});

/** Nobody gets in without a password; with it functions are loaded and run. */
async function worksThroughTheDoor(port: number): Promise<void> {
  const stranger = new Redis({ port });
  const user = new Redis({ port, username: 'regears', password: PASSWORD });
  stranger.on('error', () => undefined);
  try {
    await expect(stranger.call('RG.FUNCTION', 'LIST')).rejects.toThrow(/NOAUTH|NOPERM|PERMISSION_DENIED/);
    const clicks = readFileSync(new URL('functions/examples/clicks.ts', ROOT), 'utf8');
    await user.call('RG.FUNCTION', 'LOAD', 'clicks', clicks, 'LANGUAGE', 'ts');
    await user.xadd('events:web', '*', 'user', 'ann', 'page', '/home');
    await waitFor(async () => (await user.hget('clicks:ann', '/home')) === '1', { what: 'the function has run' });
  } finally {
    stranger.disconnect();
    user.disconnect();
  }
}

const analyze = ['/usr/bin/systemd-analyze', '/bin/systemd-analyze'].find((path) => existsSync(path));

/** What systemd says about a unit. This machine may have its Node elsewhere, and has no package in /opt. */
async function verdictOn(text: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'regears-unit-'));
  try {
    const path = join(folder, 'regears.service');
    writeFileSync(path, text.replace('/usr/bin/node', process.execPath));
    const said = await run(analyze ?? '', ['verify', '--man=no', path]).catch((error: { stderr: string }) => error);
    return said.stderr
      .split('\n')
      .filter((line) => line.includes('regears.service'))
      .join('\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test.skipIf(analyze === undefined)('systemd has nothing to say about the unit, and would of a wrong one', async () => {
  expect(await verdictOn(unit)).toBe('');
  expect(await verdictOn(unit.replace('KillMode=mixed', 'KillMood=mixed'))).toContain('KillMood');
});
