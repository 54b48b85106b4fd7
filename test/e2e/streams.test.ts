import { expect, test } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { describeOnTopologies, loadFunction, registrationRow } from './topology.ts';

const COUNT = (prefix: string, rest: string) => `new GearsBuilder('StreamReader')
  .foreach(async (r) => { await execute('HINCRBY', 'seen:' + r.key, r.id, 1); })
  .register({ prefix: '${prefix}', ${rest} });`;

describeOnTopologies('streams', (world) => {
  const seen = async (stream: string): Promise<number> => world.topology.client().hlen(`seen:${stream}`);
  const add = (stream: string, ...fields: string[]): Promise<string | null> =>
    world.topology.client().xadd(stream, '*', ...(fields.length > 0 ? fields : ['f', 'v']));

  test.each(['sync', 'async_local', 'async'])('mode %s runs every entry of old and new streams', async (mode) => {
    const streams = Array.from({ length: 12 }, (_, n) => `${mode}:s${n}`);
    for (const stream of streams.slice(0, 6)) for (let n = 0; n < 50; n += 1) await add(stream);
    const { ids } = await loadFunction(
      world.platform.door,
      `all.${mode}`,
      COUNT(`${mode}:*`, `mode: '${mode}', batch: 10`),
    );
    for (const stream of streams.slice(6)) for (let n = 0; n < 50; n += 1) await add(stream);
    for (const stream of streams) {
      await waitFor(async () => (await seen(stream)) === 50, { what: `50 entries of ${stream}` });
    }
    await waitFor(async () => (await registrationRow(world.platform.door, ids[0] ?? '')).get('done') === 600, {
      what: 'the counters agree',
    });
  });

  test('a failing entry is retried alone, then dead-lettered, and can be redriven', async () => {
    const source = `new GB('StreamReader').foreach(async (r) => {
      const runs = await execute('HINCRBY', 'runs:' + r.key, r.value.n, 1);
      if (r.value.n === '3' && !(await execute('EXISTS', 'mended:' + r.key))) throw new TypeError('bad entry ' + runs);
    }).register({ prefix: 'poison', mode: 'async_local', batch: 5, onFailedPolicy: 'retry', maxAttempts: 3,
      onFailedRetryInterval: 0.01 });`;
    await loadFunction(world.platform.door, 'poison', source);
    for (let n = 0; n < 6; n += 1) await add('poison', 'n', String(n));
    const list = async (): Promise<unknown[]> =>
      (await world.platform.door.call('RG.DEADLETTERS', 'LIST', 'FUNCTION', 'poison')) as unknown[];
    await waitFor(async () => (await list()).length === 1, { what: 'one dead letter' });
    expect(JSON.stringify(await list())).toContain('bad entry 3');
    expect(await world.topology.client().hgetall('runs:poison')).toEqual({
      0: '1',
      1: '1',
      2: '1',
      3: '3',
      4: '1',
      5: '1',
    });
    await world.topology.client().set('mended:poison', '1');
    await world.platform.door.call('RG.DEADLETTERS', 'REDRIVE', 'FUNCTION', 'poison');
    await waitFor(async () => (await world.topology.client().hget('runs:poison', '3')) === '4', {
      what: 'the redriven run',
    });
    expect(await list()).toEqual([]);
  });

  test('filtered and expired entries end as such', async () => {
    const source = `new GB('StreamReader').filter(r => r.value.keep === '1')
      .foreach(async (r) => { await execute('HINCRBY', 'seen:' + r.key, r.id, 1); })
      .register({ prefix: 'sieve', mode: 'async_local', batch: 10, maxAge: '1h' });`;
    await world.topology.client().xadd('sieve', '1000-1', 'keep', '1');
    await add('sieve', 'keep', '0');
    await add('sieve', 'keep', '1');
    const { ids } = await loadFunction(world.platform.door, 'sieve', source);
    const row = await waitFor(
      async () => {
        const now = await registrationRow(world.platform.door, ids[0] ?? '');
        return Number(now.get('done')) === 1 && Number(now.get('expired')) === 1 ? now : null;
      },
      { what: 'both ends are counted' },
    );
    expect(row.get('filtered')).toBe(1);
    expect(await seen('sieve')).toBe(1);
  });

  test('a version change routes by entry id: what was there stays with the old version', async () => {
    const source = (tag: string) => `new GB('StreamReader')
      .foreach(async (r) => { await execute('HINCRBY', 'by:routed', '${tag}', 1); })
      .register({ prefix: 'routed', mode: 'async_local', batch: 10 });`;
    const { ids } = await loadFunction(world.platform.door, 'routed', source('one'));
    await world.platform.door.call('RG.PAUSEREGISTRATIONS', ...ids);
    for (let n = 0; n < 20; n += 1) await add('routed');
    const second = await loadFunction(world.platform.door, 'routed', source('two'));
    expect(second.version).toBe(2);
    for (let n = 0; n < 30; n += 1) await add('routed');
    const total = async (tag: string): Promise<number> => Number(await world.topology.client().hget('by:routed', tag));
    await waitFor(async () => (await total('one')) + (await total('two')) === 50, { what: 'all 50 entries ran' });
    expect([await total('one'), await total('two')]).toEqual([20, 30]);
    await world.platform.door.call('RG.FUNCTION', 'ROLLBACK', 'routed');
    for (let n = 0; n < 5; n += 1) await add('routed');
    await waitFor(async () => (await total('one')) === 25, { what: 'the rolled back version runs new entries' });
  });

  test('a re-created stream goes on from where the group was', async () => {
    await add('recreated');
    await loadFunction(world.platform.door, 'recreated', COUNT('recreated', "mode: 'async_local'"));
    await waitFor(async () => (await seen('recreated')) === 1, { what: 'the first entry' });
    await world.topology.client().del('recreated');
    await add('recreated');
    await add('recreated');
    await waitFor(async () => (await seen('recreated')) === 3, { what: 'the new entries' });
  });

  test('fromId $ leaves alone what was there', async () => {
    for (let n = 0; n < 5; n += 1) await add('tail');
    await loadFunction(world.platform.door, 'tail', COUNT('tail', "mode: 'async_local', fromId: '$'"));
    const id = await add('tail');
    await waitFor(async () => (await seen('tail')) > 0, { what: 'the new entry' });
    expect(await world.topology.client().hgetall('seen:tail')).toEqual({ [String(id)]: '1' });
  });

  test('trimming waits for a foreign group', async () => {
    for (let n = 0; n < 10; n += 1) await add('trimmed');
    await world.topology.client().xgroup('CREATE', 'trimmed', 'foreign', '0');
    await loadFunction(
      world.platform.door,
      'trimmed',
      COUNT('trimmed', "mode: 'async_local', batch: 10, trimStream: true"),
    );
    await waitFor(async () => (await seen('trimmed')) === 10, { what: 'all ran' });
    expect(await world.topology.client().xlen('trimmed')).toBe(10);
    const read = await world.topology
      .client()
      .xreadgroup('GROUP', 'foreign', 'c', 'COUNT', 10, 'STREAMS', 'trimmed', '>');
    const ids = ((read as [string, [string, string[]][]][])[0]?.[1] ?? []).map(([id]) => id);
    await world.topology.client().xack('trimmed', 'foreign', ...ids);
    await add('trimmed');
    await waitFor(async () => (await world.topology.client().xlen('trimmed')) <= 1, {
      what: 'the trim',
    });
  });

  test('the doctor tells which group of a removed function holds entries back, and what gives them up', async () => {
    const { door } = world.platform;
    await add('left');
    await loadFunction(door, 'left', COUNT('left', "mode: 'async_local'"));
    await waitFor(async () => (await seen('left')) === 1, { what: 'it ran' });
    await door.call('RG.FUNCTION', 'DELETE', 'left');
    const found = async (): Promise<unknown[] | undefined> =>
      ((await door.call('RG.DOCTOR')) as unknown[][]).find(([, check]) => check === 'group left/stream/left on left');
    expect(await found()).toBeUndefined();
    await add('left');
    const [, , , state, , finding, , advice] = (await found()) ?? [];
    expect([state, finding]).toEqual(['warning', expect.stringContaining('its registration is gone, 1 entries wait')]);
    const [command = ''] = /XGROUP DESTROY \S+ \S+/.exec(String(advice)) ?? [];
    const [name = '', ...args] = command.split(' ');
    expect(await door.call(name, ...args)).toBe(1);
    expect(await found()).toBeUndefined();
  });
});
