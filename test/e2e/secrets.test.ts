import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKeyRing, generateKey } from '#functions';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { runRegears } from '../support/regears.ts';
import { waitFor } from '../support/wait.ts';
import { loadFunction } from './topology.ts';

const FIRST = 'sk-first-"5f1ü';
const SECOND = 'sk-second-77aa01';
const OLD_KEY = generateKey();
const NEW_KEY = generateKey();
const SOURCE = `
configure({ secrets: ['API_KEY'] });
let calls = 0;
GB('CommandReader').map(([, what]) => {
  calls += 1;
  const key = secret('API_KEY');
  if (what === 'log') log('the key is ' + key + ', as JSON ' + JSON.stringify({ key }));
  if (what === 'throw') throw new Error('refused: ' + key);
  if (what === 'give') return { key };
  if (what === 'other') return secret('OTHER');
  return [calls, key.length, String(env('REGION')), env('ZONE', 'none')].join(' ');
}).register({ trigger: 'mail', mode: 'async_local' });
new GearsBuilder('StreamReader').foreach(async (r) => {
  await execute('INCRBY', 'lengths', secret('API_KEY').length);
  if (r.value.echo) await execute('ECHO', 'said ' + secret('API_KEY'));
  if (r.value.bad) throw new Error(secret('API_KEY'));
}).register({ prefix: 'mails', mode: 'async_local', maxAttempts: 1, onFailedPolicy: 'continue' });
`;
const OTHER = `GB('CommandReader').map(() => 'fine').register({ trigger: 'other', mode: 'async_local' });`;
const BIN = fileURLToPath(new URL('../../scheduler/cli/regears.js', import.meta.url));

let redis: TestRedis;
let client: Redis;
let platform: PlatformProcess;
let nodeLogs = '';
/** What commands and routes answered. */
let shown = '';

beforeAll(async () => {
  redis = await startRedis();
  client = redis.client();
  platform = await start(OLD_KEY);
  await loadFunction(platform.door, 'mailer', SOURCE);
  await loadFunction(platform.door, 'other', OTHER);
});
afterAll(async () => {
  await platform?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

function start(keys: string): Promise<PlatformProcess> {
  return startPlatformProcess({ redisUrl: redis.url, env: { REGEARS_SECRETS_KEY: keys } });
}

async function restart(keys: string): Promise<void> {
  await platform.stop();
  nodeLogs += platform.log();
  await platform[Symbol.asyncDispose]();
  platform = await start(keys);
}

const trigger = (name: string, ...args: string[]): Promise<unknown> => platform.door.call('RG.TRIGGER', name, ...args);

async function regears(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runRegears([...args, '--url', `redis://127.0.0.1:${platform.respPort}`]);
  shown += stdout + stderr;
  return code === 0 ? stdout : `${code} ${stdout}${stderr}`;
}

/** `regears secret set` as in a pipe. */
async function pipeSecret(value: string, name = 'API_KEY'): Promise<string> {
  const url = `redis://127.0.0.1:${platform.respPort}`;
  const child = spawn(process.execPath, [BIN, 'secret', 'set', 'mailer', name, '--url', url]);
  child.stdin.end(`${value}\n`);
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    out += chunk;
  });
  await new Promise((done) => child.once('close', done));
  shown += out;
  return out;
}

interface Request {
  readonly body?: object;
  readonly token?: string;
}

async function http(
  method: string,
  path: string,
  { body, token }: Request = {},
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`http://127.0.0.1:${platform.httpPort}/v1${path}`, {
    method,
    headers: {
      connection: 'close',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  shown += text;
  return { status: response.status, body: JSON.parse(text) };
}

/** A command of the RESP door; its reply as JSON. */
async function call(...words: string[]): Promise<string> {
  const [name = '', ...args] = words;
  const reply = JSON.stringify(await platform.door.call(name, ...args));
  shown += reply;
  return reply;
}

/** Everything that lies in Redis, as text. */
async function everythingStored(): Promise<string> {
  const keys = await client.keys('*');
  const dumps = await Promise.all(keys.map((key) => client.dumpBuffer(key)));
  return keys.join('\n') + dumps.map((dump) => dump?.toString('latin1') ?? '').join('\n');
}

test('a function whose secret is not set does not run, says why, and loses nothing', async () => {
  await expect(trigger('mail')).rejects.toThrow(/SECRET_MISSING.*API_KEY.*regears secret set mailer API_KEY/);
  await client.xadd('mails', '*', 'to', 'ann');
  expect(await trigger('other')).toEqual(['fine']);
  expect(await call('RG.DOCTOR')).toMatch(/1 function asks for secrets[^"]*not running here: 1/);
  expect(await regears('secret', 'list', 'mailer')).toMatch(/API_KEY.*missing/);
  expect(await client.exists('lengths')).toBe(0);
});

test('a secret that the active version does not ask for is set, with a remark', async () => {
  expect(await pipeSecret('a key of nobody', 'API_KEI')).toMatch(
    /^Set API_KEI of mailer.*\nThe active version of mailer does not ask for API_KEI \(it asks for API_KEY\); .*configure\(/s,
  );
  await regears('secret', 'unset', 'mailer', 'API_KEI', '--yes');
});

test('what is set is used at once, and what waited runs', async () => {
  expect(await pipeSecret(FIRST)).toMatch(/^Set API_KEY of mailer \(revision \d+\)\.\n$/);
  expect(await trigger('mail')).toEqual([`1 ${FIRST.length} null none`]);
  await waitFor(async () => (await client.get('lengths')) === String(FIRST.length), { what: 'the waiting mail' });
  await regears('env', 'set', 'mailer', 'REGION=eu', 'ZONE=b=c');
  expect(await trigger('mail')).toEqual([`2 ${FIRST.length} eu b=c`]);
  await expect(trigger('mail', 'other')).rejects.toThrow(/GUEST_ARGUMENT.*configure\(\{ secrets: \["OTHER"\] \}\)/);
});

test('nothing that the platform writes or shows holds the value', async () => {
  await trigger('mail', 'log');
  await expect(trigger('mail', 'throw')).rejects.toThrow('refused: [secret API_KEY]');
  expect(String(await trigger('mail', 'give'))).toMatch(/^\{"key":"\*+"\}$/);
  await client.xadd('mails', '*', 'bad', '1');
  await waitFor(async () => (await call('RG.DEADLETTERS', 'LIST')).includes('[secret API_KEY]'), {
    what: 'the letter',
  });
  const entry = { fields: { echo: '1' } };
  const tried = await http('POST', '/try', { body: { registrationId: 'mailer/stream/mails', entry } });
  const said = 'said [secret API_KEY]';
  expect(tried).toMatchObject({ status: 200, body: { commands: [{}, { args: ['ECHO', said], reply: said }] } });
  const line = 'the key is [secret API_KEY], as JSON';
  await waitFor(async () => (await call('RG.LOGS', 'FUNCTION', 'mailer')).includes(line), { what: 'the line' });
  const paths = ['', '/env', '/secrets', '/versions', '/versions/1/source'];
  await Promise.all(paths.map((path) => http('GET', `/functions/mailer${path}`)));
  const commands = ['RG.FUNCTION LIST', 'RG.FUNCTION GET mailer', 'RG.DUMPREGISTRATIONS', 'RG.SECRET LIST mailer'];
  await Promise.all(commands.map((command) => call(...command.split(' '))));
  for (const text of [shown, platform.log(), await everythingStored()]) {
    expect(text.length).toBeGreaterThan(1_000);
    expect(text).not.toContain('sk-first');
  }
});

test('a changed value reaches the running isolate; the former one stays out of the log, too', async () => {
  const { body } = await http('GET', '/functions/mailer/secrets');
  const { revision } = body as { revision: number };
  const stale = await http('POST', '/functions/mailer/secrets', {
    body: { set: { API_KEY: SECOND }, revision: revision - 1 },
  });
  expect(stale).toMatchObject({ status: 412, body: { code: 'VARIABLES_CHANGED' } });
  const calls = Number(String(await trigger('mail')).split(' ')[0]);
  const changed = await http('POST', '/functions/mailer/secrets', { body: { set: { API_KEY: SECOND }, revision } });
  expect(changed.status).toBe(200);
  expect(await trigger('mail')).toEqual([`${calls + 1} ${SECOND.length} eu b=c`]);
  const after = (await http('GET', '/functions/mailer/secrets')).body as { items: { fingerprint: string }[] };
  expect(after.items[0]?.fingerprint).not.toBe((body as typeof after).items[0]?.fingerprint);
});

test('what cannot be set is refused, and the answer does not repeat it', async () => {
  for (const [set, code] of [
    [{ API_KEY: 'short' }, 'ARGUMENT_INVALID'],
    [{ 'secret value in the wrong place': 'a name' }, 'ARGUMENT_INVALID'],
    [{ API_KEY: 'x'.repeat(20_000) }, 'ARGUMENT_INVALID'],
  ] as const) {
    const answer = await http('POST', '/functions/mailer/secrets', { body: { set } });
    expect(answer).toMatchObject({ status: 400, body: { code } });
    expect(JSON.stringify(answer.body)).not.toMatch(/wrong place|xxxx/);
  }
  expect(await http('POST', '/functions/nobody/secrets', { body: { set: { API_KEY: SECOND } } })).toMatchObject({
    status: 404,
  });
  expect(await regears('secret', 'unset', 'mailer', 'NONE', '--yes')).toMatch(/^4 .*VARIABLE_NOT_FOUND/);
  expect(await regears('env', 'set', 'mailer', 'REGION')).toMatch(/^2 .*NAME=VALUE/);
});

test('another key: the function waits and others run; with the old key beside the new one it runs, and rotating needs only the new one from then on', async () => {
  await restart(NEW_KEY);
  await expect(trigger('mail')).rejects.toThrow(/SECRET_UNREADABLE/);
  expect(await trigger('other')).toEqual(['fine']);
  await client.del('lengths');
  await client.xadd('mails', '*', 'to', 'bob');
  expect(await regears('secret', 'rotate')).toMatch(/^1 [\s\S]*Left as it was.*mailer secret API_KEY/);
  expect(await call('RG.DOCTOR')).toContain('this node does not have the key');
  expect(await client.exists('lengths')).toBe(0);

  await restart(`${NEW_KEY},${OLD_KEY}`);
  await waitFor(async () => (await client.get('lengths')) === String(SECOND.length), { what: 'the mail that waited' });
  expect(await regears('secret', 'rotate')).toMatch(/^Sealed 3 with the key [0-9a-f]{8}\.\n$/);
  expect(await trigger('mail')).toEqual([`1 ${SECOND.length} eu b=c`]);
  const stored = Object.values(await client.hgetall('rg:{registry}:variables:mailer')).join();
  expect(stored).toContain(`v1:${createKeyRing(NEW_KEY, 'x').keyId}:`);
  expect(stored).not.toContain(`v1:${createKeyRing(OLD_KEY, 'x').keyId}:`);
});

test('a token of role read sees names, and changes nothing', async () => {
  const made = await http('POST', '/tokens', { body: { name: 'viewer', role: 'read' } });
  const { token } = made.body as { token: string };
  const listed = await http('GET', '/functions/mailer/secrets', { token });
  expect(listed).toMatchObject({ status: 200, body: { items: [{ name: 'API_KEY', readable: true }], missing: [] } });
  expect(JSON.stringify(listed.body)).not.toContain('value');
  for (const path of ['/functions/mailer/env', '/functions/mailer/secrets', '/secrets/rotate']) {
    expect(await http('POST', path, { body: {}, token })).toMatchObject({ status: 403 });
  }
});

test('they go with the function, and no log has ever held a value', async () => {
  await call('RG.FUNCTION', 'DELETE', 'mailer');
  expect(await client.exists('rg:{registry}:variables:mailer')).toBe(0);
  await loadFunction(platform.door, 'mailer', SOURCE);
  await expect(trigger('mail')).rejects.toThrow(/SECRET_MISSING/);
  const all = nodeLogs + platform.log() + shown + (await everythingStored());
  for (const value of ['sk-first', 'sk-second', OLD_KEY, NEW_KEY]) expect(all).not.toContain(value);
});
