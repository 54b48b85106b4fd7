import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encodeBulk, type LoadableVersion, PlatformError } from '#functions';
import type { EndedEntries, GuestVariables, StageRequest } from '#runtime';
import { type Ends, type InvocationOptions, invocationOf, versionOf } from '../scripted/invocations.ts';
import { startRuntime, type TestRuntime } from '../scripted/runtime.ts';

const SECRET = 'sk-very-secret-1';
/** By function; an error = it must not run. */
const given = new Map<string, GuestVariables | PlatformError>();
let world: TestRuntime;
let asked = 0;
beforeAll(async () => {
  world = await startRuntime({
    sandboxes: 1,
    variables: {
      of({ functionName }) {
        asked += 1;
        const found = given.get(functionName);
        if (found instanceof PlatformError) throw found;
        return found ?? null;
      },
      redact: (text) => text,
    },
  });
});
beforeEach(() => given.clear());
afterAll(() => world?.[Symbol.asyncDispose]());

function callOf(name: string, body: string, more: Partial<InvocationOptions['fields']> = {}): InvocationOptions {
  const code = `GB('CommandReader').map(async ([, a]) => { ${body} }).register({ trigger: '${name}' });`;
  const payload = `*1\r\n*2\r\n${encodeBulk(name)}${encodeBulk('x')}`;
  return { code, name, fields: { shape: 'command', wantResults: true, payload, ...more } };
}

async function run(options: InvocationOptions, secrets: readonly string[] = []): Promise<Ends> {
  const { invocation, ends } = invocationOf(options);
  await world.runtime.execute({ ...invocation, target: { ...invocation.target, secrets } });
  return ends;
}

const resultOf = (ends: Ends): string => ends.results[0] ?? JSON.stringify(ends.failed);

describe('what a function reads by name', () => {
  test('is its own: text, a default, or null', async () => {
    given.set('own', { env: { REGION: 'eü', __proto__x: 'p' }, secrets: {} });
    given.set('other', { env: { REGION: 'us', ONLY: 'here' }, secrets: { KEY: SECRET } });
    const body =
      "return [env('REGION'), env('ONLY'), env('ONLY', 7), env('toString'), env('__proto__')].map(String).join()";
    expect(resultOf(await run(callOf('own', body)))).toContain(Buffer.from('eü,null,7,null,null').toString('latin1'));
    const failed = await run(callOf('own2', "return secret('KEY')"));
    expect(failed.failed[0]?.error).toMatchObject({ code: 'GUEST_ARGUMENT' });
  });

  test('is not there while the source is evaluated', async () => {
    given.set('early', { env: { REGION: 'eu' }, secrets: {} });
    const code = `const region = env('REGION'); ${callOf('early', 'return region').code}`;
    const { failed } = await run({ ...callOf('early', ''), code });
    expect(failed[0]?.error.message).toMatch(/env works only while an event is handled/);
  });

  test('changes in the running isolate, and goes', async () => {
    const options = callOf('changing', "globalThis.n = (globalThis.n ?? 0) + 1; return n + ' ' + env('A')");
    const answers: string[] = [];
    for (const variables of [{ A: '1' }, { A: '2' }, null]) {
      if (variables === null) given.delete('changing');
      else given.set('changing', { env: variables, secrets: {} });
      answers.push(resultOf(await run(options)).split('\r\n')[2] ?? '');
    }
    expect(answers).toEqual(['1 1', '2 2', '3 null']);
  });

  test('is there again in an isolate that takes the place of a lost one', async () => {
    const options = callOf(
      'lost',
      "if (env('DIE')) { const all = []; for (;;) all.push(new Array(9999).fill(1.5)); } return env('A')",
    );
    const limits = { memoryBytes: 16 * 1024 * 1024 };
    given.set('lost', { env: { A: 'still', DIE: '1' }, secrets: {} });
    expect((await run({ ...options, limits })).failed[0]?.error.code).toBe('LIMIT_MEMORY');
    given.set('lost', { env: { A: 'still' }, secrets: {} });
    expect(resultOf(await run({ ...options, limits }))).toContain('still');
    const again = await run({ ...options, limits });
    expect(resultOf(again)).toContain('still');
  });

  test('keeps a version from running where it cannot be had: a caller hears it, entries wait', async () => {
    given.set('held', new PlatformError('SECRET_MISSING', 'held asks for KEY'));
    const called = await run(callOf('held', "await execute('SET', 'ran', 1)"), ['KEY']);
    expect(called.failed).toMatchObject([
      { kind: 'limit', error: { code: 'SECRET_MISSING', message: 'held asks for KEY' } },
    ]);
    const code = "new GearsBuilder('StreamReader').foreach(() => execute('SET', 'ran', 1)).register({ prefix: 's' });";
    const { failed } = await run({ code, name: 'held', entries: 2 }, ['KEY']);
    expect(failed.map(({ kind }) => kind)).toEqual(['interrupted', 'interrupted']);
    expect(await world.access.client.exists('ran')).toBe(0);
  });
});

describe('a secret', () => {
  test('goes to a process of its own, which no other function is in', async () => {
    given.set('keeper', { env: {}, secrets: { KEY: SECRET } });
    await run(callOf('plain', 'return 1'));
    expect(resultOf(await run(callOf('keeper', "return String(secret('KEY').length)"), ['KEY']))).toContain(
      String(SECRET.length),
    );
    const processes = world.runtime.inspectPool();
    const of = (name: string) =>
      processes.find(({ versions }) => versions.some(({ functionName }) => functionName === name));
    expect(of('keeper')).toMatchObject({ role: 'alone', versions: [{ functionName: 'keeper' }] });
    expect(of('plain')?.role).toBe('shared');
  });

  test('is in no line, error and result, nor is one that it had before', async () => {
    const lines: string[] = [];
    const body = `globalThis.old ??= secret('KEY'); log(old + ' ' + secret('KEY'));
      if (secret('KEY') !== old) throw new Error(old + secret('KEY')); return { old, bytes: 'é' + secret('KEY') };`;
    const options = callOf('talker', body, { onLogs: (some) => lines.push(...some.map(({ message }) => message)) });
    given.set('talker', { env: {}, secrets: { KEY: SECRET } });
    expect(resultOf(await run(options, ['KEY']))).toContain(`"bytes":"${Buffer.from('é').toString('latin1')}*****`);
    given.set('talker', { env: {}, secrets: { KEY: 'another-secret-2' } });
    const { failed } = await run(options, ['KEY']);
    expect(failed[0]?.error.message).toBe('[secret KEY][secret KEY]');
    expect(lines).toEqual(['[secret KEY] [secret KEY]', '[secret KEY] [secret KEY]']);
    expect(world.lines.join('\n')).not.toMatch(/sk-very|another-secret/);
  });

  test('is in no result of a run; between its stages records stay as they are', async () => {
    const code = "GB('KeysOnlyReader').map((key) => secret('KEY') + key).run();";
    const target: LoadableVersion = { ...versionOf({ code, name: 'runner' }), secrets: ['KEY'] };
    given.set('runner', { env: {}, secrets: { KEY: SECRET } });
    const outputs = await Promise.all((['results', 'records'] as const).map((output) => mapped(target, output)));
    expect(outputs[0]).toContain(`${'*'.repeat(SECRET.length)}k`);
    expect(outputs[1]).toContain(`${SECRET}k`);
  });
});

async function mapped(target: LoadableVersion, output: StageRequest['output']): Promise<string> {
  await using stage = await world.runtime.openStage({
    ...{ target, runIndex: 0, executionId: 'e', firstStep: 0, endStep: 1, input: 'names', output },
    ...{ key: '', hashtag: 't', profile: false, signal: new AbortController().signal },
  });
  const fed = await stage.feed(`*1\r\n${encodeBulk('k')}`, 1);
  const rest = await stage.finish();
  return [...fed.records, ...rest.records].join('\n');
}

test('a batch of a function without any asks for them twice at most', async () => {
  asked = 0;
  const ends: EndedEntries[] = [];
  await run({
    ...callOf('cheap', 'return 1'),
    fields: { ...callOf('cheap', '').fields, onEnded: (ended) => ends.push(ended) },
  });
  expect(ends.length).toBeGreaterThan(0);
  expect(asked).toBeLessThanOrEqual(2);
});
