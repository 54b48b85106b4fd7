import { describe, expect, test } from 'vitest';
import type { ReplyValue } from '../../../../scheduler/gateway/operations/operation.ts';
import { fields, harness, RUN } from './harness.ts';

describe('executions', () => {
  test('a script that only runs is answered with results and errors, or with an id', async () => {
    const { run, asked } = harness();
    expect(await run('RG.JSEXECUTE', 'only;run')).toEqual([{ resp2: '*1\r\n$1\r\na\r\n' }, ['no']]);
    expect(await run('RG.JSEXECUTE', 'only;run', 'unblocking', 'ID', 'mine')).toBe('id-1');
    expect(asked.map(([name]) => name)).toEqual(['run', 'start']);
    expect(asked[1]?.[1]).toMatchObject({
      target: { functionName: 'mine', version: 0 },
      run: { reader: 'KeysReader' },
    });
  });

  test('a script that runs and registers is answered with OK, one that does neither changes nothing', async () => {
    const { run, asked } = harness();
    expect(await run('RG.JSEXECUTE', 'run')).toEqual({ simple: 'OK' });
    expect(asked.map(([name]) => name)).toEqual(['load', 'start']);
    expect(await run('RG.JSEXECUTE', 'only')).toEqual({ simple: 'OK' });
    expect(asked.length).toBe(2);
  });

  test('are listed and shown with the labels of RedisGears, ours behind them', async () => {
    const { run } = harness();
    const listed = ((await run('RG.DUMPEXECUTIONS')) as ReplyValue[][]).map(fields);
    expect(listed).toMatchObject([
      { executionId: RUN.id, status: 'done', registered: 1, registration: 'f/stream/s:*', executions: 2, errors: 1 },
      { executionId: 'id-1', status: 'done', registered: 0 },
    ]);
    const [shard] = (await run('RG.GETEXECUTION', 'id-1')) as ReplyValue[][];
    const plan = shard?.[3] as ReplyValue[];
    const labels = [
      'status',
      'shards_received',
      'shards_completed',
      'results',
      'errors',
      'total_duration',
      'read_duration',
    ];
    expect(plan.filter((_, at) => at % 2 === 0).slice(0, 8)).toEqual([...labels, 'steps']);
    expect(plan[15]).toEqual([
      ['type', 'stringify', 'duration', 1, 'name', '', 'arg', ''],
      ['type', 'map', 'duration', 2, 'name', 'age', 'arg', 'function age(r) {'],
    ]);
  });

  test('those of registrations have the same commands', async () => {
    const { run, asked } = harness();
    const [[, , , plan]] = (await run('RG.GETEXECUTION', RUN.id)) as [[string, string, string, ReplyValue[]]];
    expect(fields(plan)).toMatchObject({ status: 'done', results: 8, errors: ['Error: no'], records_read: 10 });
    expect(await run('RG.GETRESULTS', RUN.id)).toEqual([[], ['Error: no']]);
    expect(await run('RG.GETRESULTS', RUN.id, 'CURSOR', '0')).toEqual(['0', [], ['Error: no']]);
    expect(await run('RG.GETRESULTSBLOCKING', RUN.id)).toEqual([[], ['Error: no']]);
    expect(await run('RG.ABORTEXECUTION', RUN.id)).toEqual({ simple: 'OK' });
    expect(await run('RG.DROPEXECUTION', RUN.id)).toEqual({ simple: 'OK' });
    expect(asked).toEqual([]);
  });

  test('errors have the texts of RedisGears', async () => {
    const { fail, run } = harness();
    expect(await fail('RG.GETRESULTS', 'x')).toBe('-execution is still running\r\n');
    expect(await fail('RG.GETRESULTSBLOCKING', 'x')).toBe('-execution plan does not exist\r\n');
    expect(await fail('RG.DROPEXECUTION', 'x')).toBe('-can not drop a not yet finished execution, abort it first.\r\n');
    expect(await fail('RG.ABORTEXECUTION', 'x')).toBe('-execution does not exist\r\n');
    expect(await fail('RG.GETEXECUTION', 'x', 'cluster')).toContain('no cluster detected');
    expect(await fail('RG.GETEXECUTION', 'x', 'what')).toBe('-unknown subcommand\r\n');
    expect(await run('RG.GETRESULTS', 'x', 'CURSOR', '0')).toEqual(['0-4', { resp2: '*0\r\n' }, []]);
  });
});

test('options of RedisGears have their counterparts, or say why they have none; other names are the users own', async () => {
  const { run, asked } = harness();
  const got = await run('RG.CONFIGGET', 'MaxExecutions', 'ProfileExecutions', 'ExecutionThreads', 'region', 'nothing');
  expect(got).toEqual([7, 1, 2, 'eu', { error: '(error) Unsupported config parameter: nothing' }]);
  const sent = [
    'maxexecutions',
    '5',
    'ExecutionThreads',
    '9',
    'ExecutionMaxIdleTime',
    '0',
    'SendMsgRetries',
    '1',
    'k',
    'v',
    'x',
  ];
  expect(await run('RG.CONFIGSET', ...sent)).toEqual([
    { simple: 'OK' },
    { error: expect.stringContaining('ExecutionThreads not modifiable at runtime') },
    { error: '(error) Failed setting config value ExecutionMaxIdleTime' },
    { error: expect.stringContaining('SendMsgRetries does not apply') },
    { simple: 'OK - value was saved in extra config dictionary' },
    { error: '(error) Value was not given to x' },
  ]);
  expect(asked).toEqual([
    ['set', 'MaxExecutions', '5'],
    ['set', 'k', 'v'],
  ]);
});

test('sessions, engines and memory are shown', async () => {
  const { run, fail } = harness();
  const [session] = (await run('RG.JSDUMPSESSIONS', 'VERBOSE', 'SESSIONS', 'f', 'no')) as ReplyValue[][];
  expect(fields(session ?? [])).toMatchObject({ ID: 'f', linked: 'primary', dead: 'false', refCount: 2 });
  expect(await run('RG.JSDUMPSESSIONS', 'SESSIONS', 'no')).toEqual(['Session no does not exists']);
  expect(await fail('RG.JSDUMPSESSIONS', 'loud')).toBe('-Unknown option loud\r\n');
  const stats = fields((await run('RG.JSSTATS')) as ReplyValue[]);
  expect(stats).toMatchObject({ sandboxResidentBytes: 150, isolates: 2, isolateHeapBytes: 70, batches: 3, entries: 8 });
  const isolates = (fields((stats.sandboxes as ReplyValue[][])[0] ?? []).isolates as ReplyValue[][]).map(fields);
  expect(isolates).toEqual([
    { function: 'f', version: 3, heapBytes: 70, externalBytes: 4, cpuMs: 2, batches: 3, entries: 8 },
    { function: 'g', version: 1, heapBytes: null, externalBytes: null, cpuMs: null, batches: null, entries: null },
  ]);
  expect(((await run('RG.DUMPPLUGINS')) as string[][]).map(([name]) => name)).toEqual(['isolated-vm', 'v8', 'node']);
  expect(await run('RG.INFOCLUSTER')).toBe('no cluster mode');
  expect(await run('RG.REFRESHCLUSTER')).toEqual({ simple: 'OK' });
});
