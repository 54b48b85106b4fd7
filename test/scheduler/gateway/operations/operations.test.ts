import { describe, expect, test } from 'vitest';
import type { ReplyValue } from '../../../../scheduler/gateway/operations/operation.ts';
import { COMMAND, fields, harness, STREAM } from './harness.ts';

describe('RG.FUNCTION', () => {
  test('LOAD takes its options in any order and case and answers name, version, hash and registrations', async () => {
    const { run, asked } = harness();
    const reply = await run('rg.function', 'load', 'f', 'src', 'noactivate', 'Language', 'TS', 'DESCRIPTION', 'd');
    expect(reply).toEqual(['f', 3, 'abc', ['f/stream/s:*']]);
    expect(asked[0]).toEqual([
      'load',
      { name: 'f', source: 'src', language: 'ts', description: 'd', activate: false, sourceMap: null },
    ]);
  });

  test('LOAD passes the number of a new version and PAUSED on', async () => {
    const { run, asked } = harness();
    await run('RG.FUNCTION', 'LOAD', 'f', 'src', 'number', '7', 'paused');
    expect(asked[0]?.[1]).toMatchObject({ activate: true, number: 7, startsPaused: true });
  });

  test('wrong syntax is refused with what is allowed', async () => {
    const { fail } = harness();
    expect(await fail('RG.FUNCTION')).toBe("-ERR wrong number of arguments for 'rg.function' command\r\n");
    expect(await fail('RG.FUNCTION', 'NOPE')).toMatch(/^-ERR unknown subcommand 'NOPE'. Try one of LOAD, LIST/);
    expect(await fail('RG.FUNCTION', 'LOAD', 'f')).toBe(
      "-ERR wrong number of arguments for 'rg.function|load' command\r\n",
    );
    expect(await fail('RG.FUNCTION', 'LOAD', 'f', 's', 'LANGUAGE', 'py')).toMatch(
      /LANGUAGE is "py"; allowed are js and ts/,
    );
    expect(await fail('RG.FUNCTION', 'LOAD', 'f', 's', 'WHAT')).toMatch(/unknown option "WHAT"; allowed: NOACTIVATE/);
    expect(await fail('RG.FUNCTION', 'LOAD', 'f', 's', 'DESCRIPTION')).toMatch(/DESCRIPTION is missing its value/);
    expect(await fail('RG.FUNCTION', 'GET', 'f', 'VERSION', '0')).toMatch(/VERSION is "0"; allowed is a whole number/);
  });

  test('DELETE with ABORTPENDING has everything of the function given up first', async () => {
    const { run, asked } = harness();
    await run('RG.FUNCTION', 'DELETE', 'f');
    await run('RG.FUNCTION', 'DELETE', 'f', 'abortpending');
    const reason = 'about to be removed with ABORTPENDING';
    expect(asked).toEqual([
      ['remove', 'f'],
      ['abort', [STREAM.id, COMMAND.id], reason],
      ['remove', 'f'],
    ]);
  });

  test('LIST, VERSIONS and GET answer records', async () => {
    const { run } = harness();
    const [listed] = (await run('RG.FUNCTION', 'LIST')) as ReplyValue[];
    expect(fields(listed as ReplyValue)).toMatchObject({
      name: 'f',
      activeVersion: 3,
      latestVersion: 3,
      updatedAtMs: 2,
    });
    const [version] = (await run('RG.FUNCTION', 'VERSIONS', 'f')) as ReplyValue[];
    expect(fields(version as ReplyValue)).toMatchObject({ version: 3, active: 1, sha256: 'abc', language: 'js' });
    const shown = fields(await run('RG.FUNCTION', 'GET', 'f', 'version', '3'));
    expect(shown).toMatchObject({ name: 'f', source: 'the source', registrations: ['f/stream/s:*'] });
    expect(shown).toMatchObject({ limits: null, commands: null, keys: null, settings: null });
  });

  test('ROLLBACK takes a version, an entry id, or both', async () => {
    const { run, asked } = harness();
    await run('RG.FUNCTION', 'ROLLBACK', 'f');
    await run('RG.FUNCTION', 'ROLLBACK', 'f', '2');
    await run('RG.FUNCTION', 'ROLLBACK', 'f', 'from', '5-0');
    await run('RG.FUNCTION', 'ROLLBACK', 'f', '2', 'FROM', '5-0');
    expect(asked.map(([, ...args]) => args)).toEqual([
      ['f', undefined, undefined],
      ['f', 2, undefined],
      ['f', undefined, '5-0'],
      ['f', 2, '5-0'],
    ]);
  });

  test('a node that has not applied the change in time is named, and the change stands', async () => {
    const { fail } = harness(['node-2']);
    expect(await fail('RG.FUNCTION', 'DELETE', 'f')).toMatch(
      /^-ERR \[NOT_CONVERGED\] the change is stored \(revision 8\), but after 50 ms these nodes have not applied it: node-2/,
    );
  });
});

describe('RG.JSEXECUTE', () => {
  test('refuses what RG.PYEXECUTE refused, in its words', async () => {
    const { fail } = harness();
    expect(await fail('RG.JSEXECUTE')).toBe("-ERR wrong number of arguments for 'rg.jsexecute' command\r\n");
    expect(await fail('RG.JSEXECUTE', 's', 'ID')).toBe('-ID is missing\r\n');
    expect(await fail('RG.JSEXECUTE', 's', 'replace_with')).toBe('-REPLACE_WITH is missing\r\n');
    expect(await fail('RG.JSEXECUTE', 's', 'ID', 'a b')).toBe(
      "-ID must be compose of: ['A'-'Z' | 'a'-'z' | '0' - '9' | '-' | '_']\r\n",
    );
    expect(await fail('RG.JSEXECUTE', 's', 'What')).toBe('-Unknown arguments were given: What\r\n');
    expect(await fail('RG.JSEXECUTE', 's', 'ID', 'f')).toBe('-Session f already exists\r\n');
    expect(await fail('RG.JSEXECUTE', 's', 'ID', 'f', 'REPLACE_WITH', 'f')).toBe(
      '-Can not replace an existing session f with f\r\n',
    );
    expect(await fail('RG.JSEXECUTE', 's', 'ID', 'g', 'REPLACE_WITH', 'old')).toBe(
      '-Can not replace with old, session does not exists.\r\n',
    );
  });

  test('upgrades, replaces and makes up a name', async () => {
    const { run, asked } = harness();
    expect(await run('RG.JSEXECUTE', 's', 'UNBLOCKING', 'ID', 'f', 'UPGRADE')).toEqual({ simple: 'OK' });
    await run('RG.JSEXECUTE', 's', 'ID', 'g', 'REPLACE_WITH', 'f');
    await run('RG.JSEXECUTE', 's');
    const loads = asked.map(([, request]) => request as Record<string, unknown>);
    expect(loads[0]).toMatchObject({ name: 'f', mustBeNew: false, keepWhenEmpty: true });
    expect(loads[1]).toMatchObject({ name: 'g', mustBeNew: true, replaces: 'f' });
    expect(loads[2]?.name).toMatch(/^[0-9a-f]{40}$/);
  });
});

test('RG.DUMPREGISTRATIONS has the labels of RedisGears at their positions, ours behind them', async () => {
  const { run } = harness();
  const rows = (await run('RG.DUMPREGISTRATIONS')) as ReplyValue[][];
  const [command, stream] = rows as [ReplyValue[], ReplyValue[]];
  const outer = ['id', 'reader', 'desc', 'RegistrationData', 'PD', 'ExecutionThreadPool'];
  expect(stream.filter((_, i) => i % 2 === 0)).toEqual([...outer, 'function', 'version', 'state', 'stateReason']);
  const labels = ['mode', 'numTriggered', 'numSuccess', 'numFailures', 'numAborted', 'lastRunDurationMS'];
  const both = [...labels, 'totalRunDurationMS', 'avgRunDurationMS'];
  const streamData = stream[7] as ReplyValue[];
  const streamLabels = [...both, 'lastEstimatedLagMS', 'avgEstimatedLagMS', 'lastError', 'args', 'status'];
  expect(streamData.slice(0, 26).filter((_, i) => i % 2 === 0)).toEqual(streamLabels);
  expect([streamData[1], streamData[15], streamData[21], streamData[25]]).toEqual(['sync', '0', null, 'PAUSED']);
  const args = ['batchSize', 10, 'durationMS', 5, 'stream', 's:*', 'trimStream', 1, 'onFailedPolicy', 'retry'];
  expect(streamData[23]).toEqual([...args, 'retryInterval', 2]);
  expect(fields(streamData)).toMatchObject({
    done: 0,
    filtered: 0,
    dead: 0,
    expired: 0,
    lostToTrim: 0,
    maxAttempts: 5,
  });
  const commandData = command[7] as ReplyValue[];
  expect(commandData).toHaveLength(20);
  expect(commandData.filter((_, i) => i % 2 === 0)).toEqual([...both, 'lastError', 'args']);
  expect(commandData[19]).toEqual(['trigger', 't', 'inorder', 1]);
  expect(command[9]).toContain(`{'sessionName':'f', 'sessionDescription':'it\\'s'`);
});

test('registrations are taken out, paused and unpaused', async () => {
  const { run, fail, asked } = harness();
  expect(await run('RG.UNREGISTER', STREAM.id, 'abortpending')).toEqual({ simple: 'OK' });
  expect(await fail('RG.UNREGISTER', 'nope')).toBe('-execution is not registered\r\n');
  await run('RG.PAUSEREGISTRATIONS', 'a', 'b', 'a');
  await run('RG.UNPAUSEREGISTRATIONS', 'a');
  expect(asked).toEqual([
    ['abort', [STREAM.id], 'about to be removed with ABORTPENDING'],
    ['setState', ['a', 'b'], 'paused', 'paused by user ann'],
    ['setState', ['a'], 'running', null],
  ]);
  expect(await fail('RG.PAUSEREGISTRATIONS')).toMatch(/wrong number of arguments for 'rg.pauseregistrations'/);
  expect(await run('RG.CLEARREGISTRATIONSSTATS')).toEqual({ simple: 'OK' });
  expect(await fail('RG.CLEARREGISTRATIONSSTATS', 'x')).toMatch(/wrong number/);
});

test('RG.DEADLETTERS passes its filters on', async () => {
  const { run, asked, table } = harness();
  const filter = ['FUNCTION', 'f', 'error', 'no', 'SINCE', '5', 'UNTIL', '9'];
  const wanted = { functionName: 'f', error: 'no', sinceMs: 5, untilMs: 9 };
  const [letter] = (await run('RG.DEADLETTERS', 'LIST', ...filter, 'COUNT', '3')) as ReplyValue[];
  expect(fields(letter as ReplyValue)).toMatchObject({
    id: 'L1',
    registrationId: STREAM.id,
    attempts: 5,
    errorMessage: 'no',
  });
  expect(fields(await run('RG.DEADLETTERS', 'SHOW', 'L1'))).toMatchObject({ errorStack: 'at x', fields: ['f', 'ü'] });
  expect(await run('RG.DEADLETTERS', 'COUNT', ...filter)).toBe(4);
  expect(await run('RG.DEADLETTERS', 'REDRIVE', ...filter)).toBe(3);
  expect(await run('RG.DEADLETTERS', 'DISCARD', 'DRYRUN')).toBe(2);
  expect(asked).toEqual([
    ['letters', { ...wanted, count: 3, after: null }],
    ['show', 'L1'],
    ['count', wanted],
    ['redrive', wanted, { dryRun: false }],
    ['discard', {}, { dryRun: true }],
  ]);
  const permission = (...args: string[]) => table.find('RG.DEADLETTERS')?.permission(args);
  expect([permission('list'), permission('redrive'), permission('Discard')]).toEqual(['read', 'manage', 'manage']);
});

test('RG.DOCTOR says what is wrong and what to do', async () => {
  const { run } = harness();
  const checks = ((await run('RG.DOCTOR')) as ReplyValue[]).map(fields);
  const states = Object.fromEntries(checks.map(({ check, state }) => [check, state]));
  expect(states).toMatchObject({
    server: 'ok',
    'eviction policy': 'bad',
    persistence: 'warning',
    'keyspace notifications': 'warning',
    nodes: 'warning',
    registrations: 'warning',
    secrets: 'bad',
    'group f/stream/s:* on s:1': 'warning',
    'group gone/stream/s:1 on s:1': 'warning',
  });
  expect(checks.every(({ state, advice }) => (state === 'ok') === (advice === null))).toBe(true);
});

test('RG.HELP names every command', async () => {
  const { run, table } = harness();
  const text = ((await run('RG.HELP')) as string[]).join('\n');
  for (const { name } of table.all) if (name !== 'RG.HELP') expect(text).toContain(name);
  expect(text).toContain('RG.TRIGGER');
});
