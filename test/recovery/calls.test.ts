import process from 'node:process';
import { expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { childrenOf } from './flow.ts';

const FLAGS = ['--heartbeat', '100ms', '--heartbeat-timeout', '1s', '--block', '500ms', '--sandboxes', '1'];
const ROUND = 25;
const ROUNDS = 16;
const TIMEOUT_MS = 180_000;

const WORK = "for (let n = 0; n < 2; n += 1) await execute('PING'); await execute('HINCRBY', 'called', a[1], 1);";

type Call = (n: number) => Promise<unknown>;

/** Calls in rounds, with something done amid some of them; every answer, errors too. */
async function callAll(call: Call, amid: (round: number) => Promise<void>): Promise<readonly unknown[]> {
  const answers: unknown[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const calls = Array.from({ length: ROUND }, (_, n) => call(round * ROUND + n).catch((error: unknown) => error));
    await amid(round);
    answers.push(...(await Promise.all(calls)));
  }
  return answers;
}

async function killSandboxes(platform: PlatformProcess): Promise<void> {
  const pids = await childrenOf(platform.pid);
  expect(pids.length).toBeGreaterThan(0);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}

function failures(answers: readonly unknown[]): readonly string[] {
  return answers.filter((answer) => answer instanceof Error).map(String);
}

test.each(['sync', 'async_local'])(
  'every call is answered when sandboxes are killed, and none has its effect twice (mode %s)',
  { timeout: TIMEOUT_MS },
  async (mode) => {
    await using redis = await startRedis();
    await using platform = await startPlatformProcess({ redisUrl: redis.url, flags: FLAGS });
    const source = `GB('CommandReader').map(async (a) => { ${WORK} return a[1]; }).register({ trigger: 'call', mode: '${mode}' });`;
    await platform.door.call('RG.FUNCTION', 'LOAD', 'calls', source);
    const answers = await callAll(
      (n) => platform.door.call('RG.TRIGGER', 'call', n),
      async (round) => (round % 4 === 1 ? killSandboxes(platform) : undefined),
    );
    const counts = await redis.client().hgetall('called');
    expect(new Set(Object.values(counts))).toEqual(new Set(['1']));
    for (const [n, answer] of answers.entries()) {
      if (answer instanceof Error) expect(answer.message).toMatch(/interrupted|sandbox/i);
      else expect([answer, counts[n]]).toEqual([[String(n)], '1']);
    }
    expect(failures(answers).length).toBeLessThan(answers.length / 2);
  },
);

test('every call of mode async is answered when sandboxes and a node that could have run it are killed', {
  timeout: TIMEOUT_MS,
}, async () => {
  await using redis = await startRedis();
  await using first = await startPlatformProcess({ redisUrl: redis.url, flags: FLAGS });
  await using second = await startPlatformProcess({ redisUrl: redis.url, flags: FLAGS });
  const source = `GB('CommandReader').map(async (a) => { ${WORK} return a[1]; }).register({ trigger: 'call', mode: 'async' });`;
  await second.door.call('RG.FUNCTION', 'LOAD', 'calls', source);
  const answers = await callAll(
    (n) => second.door.call('RG.TRIGGER', 'call', n),
    async (round) => {
      if (round === ROUNDS / 2) await first.kill();
      else if (round % 4 === 1) await killSandboxes(second);
    },
  );
  const counts = await redis.client().hgetall('called');
  for (const [n, answer] of answers.entries()) {
    if (answer instanceof Error) expect(answer.message).toMatch(/interrupted|node|sandbox/i);
    else expect([answer, Number(counts[n]) >= 1]).toEqual([[String(n)], true]);
  }
  expect(failures(answers).length).toBeLessThan(answers.length / 2);
});

test.each(['sync', 'async_local'])(
  'every hooked command is answered when sandboxes are killed, and done where no error was (mode %s)',
  { timeout: TIMEOUT_MS },
  async (mode) => {
    await using redis = await startRedis();
    await using platform = await startPlatformProcess({ redisUrl: redis.url, flags: FLAGS });
    const source = `GB('CommandReader').map(async (a) => { ${WORK} return callNext(...a.slice(1)); })
      .register({ hook: 'append', mode: '${mode}' });`;
    await platform.door.call('RG.FUNCTION', 'LOAD', 'hook', source);
    const answers = await callAll(
      (n) => platform.door.append(`k:${n}`, 'x'),
      async (round) => (round % 4 === 1 ? killSandboxes(platform) : undefined),
    );
    const values = await redis.client().mget(answers.map((_, n) => `k:${n}`));
    expect(values.filter((value) => value !== null && value !== 'x')).toEqual([]);
    for (const [n, answer] of answers.entries()) {
      if (answer instanceof Error) expect(answer.message).toMatch(/interrupted|sandbox/i);
      else expect([String(answer), values[n]]).toEqual(['1', 'x']);
    }
    expect(failures(answers).length).toBeLessThan(answers.length / 2);
  },
);
