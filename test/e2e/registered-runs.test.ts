import { expect, test } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { describeOnTopologies, loadFunction } from './topology.ts';

describeOnTopologies('executions of registrations', (world) => {
  const door = (...args: (string | number)[]): Promise<unknown> =>
    world.platform.door.call(args[0] as string, ...args.slice(1));
  const runsOf = async (registration: string): Promise<Map<unknown, unknown>[]> => {
    const rows = ((await door('RG.DUMPEXECUTIONS')) as unknown[][]).map(labelled);
    return rows.filter((row) => row.get('registered') === 1 && row.get('registration') === registration);
  };
  /** The id of the newest one after `count` of them have ended. */
  const newest = async (registration: string, count: number): Promise<string> => {
    const ended = async (): Promise<number> =>
      (await runsOf(registration)).reduce((sum, row) => sum + Number(row.get('executions')), 0);
    await waitFor(async () => (await ended()) >= count, { what: `${count} executions` });
    return String((await runsOf(registration)).at(-1)?.get('executionId'));
  };

  test('are listed, shown and dropped like those of batch runs', async () => {
    const source = `GB('StreamReader').map((r) => { if (r.value.n === '1') throw new RangeError('not one'); return r; })
      .register({ prefix: 'kept', mode: 'async_local' });`;
    await loadFunction(world.platform.door, 'kept', source);
    await door('XADD', 'kept', '*', 'n', '0');
    const good = await newest('kept/stream/kept', 1);
    await door('XADD', 'kept', '*', 'n', '1');
    const bad = await newest('kept/stream/kept', 2);
    const [first, second] = await runsOf('kept/stream/kept');
    expect(Object.fromEntries(first ?? [])).toMatchObject({
      ...{ executionId: good, status: 'done', registered: 1, function: 'kept', reader: 'StreamReader' },
      ...{ recordsRead: 1, version: 1, executions: 1, errors: 0 },
    });
    expect(second?.get('errors')).toBe(1);
    const [[, , , plan] = []] = (await door('RG.GETEXECUTION', bad)) as [[string, string, string, unknown[]]];
    const shown = labelled(plan ?? []);
    expect([shown.get('status'), shown.get('results'), shown.get('records_read')]).toEqual(['done', 0, 1]);
    expect(String(shown.get('errors'))).toMatch(/^RangeError: not one\n.*kept.js:1:/s);
    expect((shown.get('steps') as unknown[][]).map((step) => step[1])).toEqual(['collect', 'stringify', 'map']);
    expect(await door('RG.GETRESULTS', good)).toEqual([[], []]);
    expect(await door('RG.GETRESULTSBLOCKING', bad)).toEqual([[], [expect.stringContaining('not one')]]);
    expect(await door('RG.ABORTEXECUTION', good)).toBe('OK');
    expect(await door('RG.DROPEXECUTION', good)).toBe('OK');
    await expect(door('RG.GETEXECUTION', good)).rejects.toThrow('execution plan does not exist');
    expect(await runsOf('kept/stream/kept')).toHaveLength(1);
    await door('RG.FUNCTION', 'DELETE', 'kept');
    expect(await runsOf('kept/stream/kept')).toEqual([]);
  });

  test('beyond MaxExecutionsPerRegistration the oldest go first; with 0 none are kept', async () => {
    await loadFunction(
      world.platform.door,
      'few',
      "GB('StreamReader').foreach((r) => execute('INCR', 'few-done')).register({ prefix: 'few', mode: 'sync' });",
    );
    const set = async (most: number): Promise<void> => {
      expect(await door('RG.CONFIGSET', 'MaxExecutionsPerRegistration', most)).toEqual(['OK']);
      expect(await door('RG.CONFIGGET', 'MaxExecutionsPerRegistration')).toEqual([most]);
    };
    const add = async (upTo: number): Promise<void> => {
      await door('XADD', 'few', '*', 'n', '0');
      const done = (): Promise<unknown> => world.topology.client().get('few-done');
      await waitFor(async () => (await done()) === String(upTo), { what: 'it has run' });
    };
    const times = async (): Promise<number[]> =>
      (await runsOf('few/stream/few')).map((row) => Number(row.get('createdAtMs')));
    await add(1);
    await waitFor(async () => (await times()).length === 1, { what: 'one is kept' });
    const [oldest] = await times();
    await set(3);
    for (let n = 2; n <= 6; n += 1) await add(n);
    await waitFor(async () => (await times()).length === 3, { what: 'three are kept' });
    expect(await times()).not.toContain(oldest);
    await set(0);
    const before = await times();
    await add(7);
    expect(await times()).toEqual(before);
    expect(await door('RG.CONFIGSET', 'MaxExecutionsPerRegistration', -1)).toEqual([
      expect.objectContaining({ message: '(error) Failed setting config value MaxExecutionsPerRegistration' }),
    ]);
    await door('RG.FUNCTION', 'DELETE', 'few');
  });

  test('of commands are not kept: their caller has heard', async () => {
    const source = "GB('CommandReader').map(() => 1).register({ trigger: 'heard', mode: 'async_local' });";
    await loadFunction(world.platform.door, 'heard', source);
    await door('RG.TRIGGER', 'heard');
    expect(await runsOf('heard/command/heard')).toEqual([]);
    await door('RG.FUNCTION', 'DELETE', 'heard');
  });
});

function labelled(row: readonly unknown[]): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  for (let n = 0; n + 1 < row.length; n += 2) map.set(row[n], row[n + 1]);
  return map;
}
