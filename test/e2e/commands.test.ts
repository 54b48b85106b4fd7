import { expect, test } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { describeOnTopologies, loadFunction } from './topology.ts';

describeOnTopologies('command functions', (world) => {
  const trigger = (...args: string[]): Promise<unknown> => world.platform.door.call('RG.TRIGGER', ...args);

  test.each(['sync', 'async_local', 'async'])('mode %s answers the caller', async (mode) => {
    const source = `new GB('CommandReader').map(async (a) => \`\${a[0]} got \${a.length - 1}: \${await execute('INCR', 'n:' + a[0])}\`)
      .register({ trigger: 'cmd.${mode}', mode: '${mode}' });`;
    await loadFunction(world.platform.door, `cmd-${mode}`, source);
    expect(await trigger(`cmd.${mode}`, 'bat', 'bat')).toEqual([`cmd.${mode} got 2: 1`]);
    const many = await Promise.all(Array.from({ length: 100 }, () => trigger(`cmd.${mode}`)));
    expect(new Set(many.map((reply) => (reply as string[])[0])).size).toBe(100);
  });

  test('sync commands run one at a time in arrival order', async () => {
    const source = `new GB('CommandReader').map(async (a) => {
      await execute('RPUSH', 'order', 'begin ' + a[1]); await execute('RPUSH', 'order', 'end ' + a[1]); return a[1];
    }).register({ trigger: 'inline', mode: 'sync' });`;
    await loadFunction(world.platform.door, 'inline', source);
    await Promise.all(Array.from({ length: 20 }, (_, n) => trigger('inline', String(n))));
    const expected = Array.from({ length: 20 }, (_, n) => [`begin ${n}`, `end ${n}`]).flat();
    expect(await world.topology.client().lrange('order', 0, -1)).toEqual(expected);
  });

  test('binary arguments and results survive', async () => {
    await loadFunction(
      world.platform.door,
      'echo',
      "new GB('CommandReader').map((a) => a[1]).register({ trigger: 'echo', mode: 'async_local', convertToStr: false });",
    );
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    const [back] = (await world.platform.door.callBuffer('RG.TRIGGER', 'echo', bytes)) as Buffer[];
    expect(back?.equals(bytes)).toBe(true);
    expect(await trigger('echo', 'Grüße, 世界')).toEqual(['Grüße, 世界']);
  });

  test("an error names the user's file and line", async () => {
    const source =
      "new GB('CommandReader').map((a) => {\n  return a.missing.length;\n}).register({ trigger: 'broken' });";
    await loadFunction(world.platform.door, 'broken', source);
    await expect(trigger('broken')).rejects.toThrow(/missing|undefined/);
    await expect(trigger('broken')).rejects.toThrow(/:2/);
  });

  test('a script inside MULTI hears what RedisGears said', async () => {
    const [first, second] = ['words:{a}', 'words:{a}2'];
    const refused = world.platform.door.multi().set(first, '1').call('RG.JSEXECUTE', '1').set(second, '1').exec();
    await expect(refused).rejects.toMatchObject({
      previousErrors: [{ message: 'Can not run gears inside a multi exec, lua, or when blocking is not allowed' }],
    });
    expect(await world.topology.client().exists(first)).toBe(0);
  });

  test('an unknown trigger and a bad registration are refused with a reason', async () => {
    await expect(trigger('nobody')).rejects.toThrow('subcommand not found');
    const misspelt = "new GB('CommandReader').map(a => a).register({ triger: 'x' });";
    await expect(loadFunction(world.platform.door, 'misspelt', misspelt)).rejects.toThrow(/triger/);
    const noSyntax = "new GB('CommandReader'.map(";
    await expect(loadFunction(world.platform.door, 'syntax', noSyntax)).rejects.toThrow(/1:/);
  });

  test('a trigger belongs to one function, and a failed activation leaves the old version whole', async () => {
    const owner = "new GB('CommandReader').map(() => 'mine').register({ trigger: 'owned', mode: 'async_local' });";
    await loadFunction(world.platform.door, 'owner', owner);
    const thief = (answer: string): string =>
      `new GB('CommandReader').map(() => '${answer}').register({ trigger: 'thief', mode: 'async_local' });`;
    await loadFunction(world.platform.door, 'thief', thief('one'));
    await expect(loadFunction(world.platform.door, 'thief', thief('two') + owner)).rejects.toThrow(/owned/);
    expect(await trigger('thief')).toEqual(['one']);
    expect(await trigger('owned')).toEqual(['mine']);
  });

  test('an endless loop ends with a clear error and leaves other functions alone', async () => {
    const loop = `new GB('CommandReader').map(async () => { await execute('PING'); for (;;); })
      .register({ trigger: 'loop', mode: 'async_local' });`;
    const fine = "new GB('CommandReader').map(() => 'fine').register({ trigger: 'fine', mode: 'async_local' });";
    await loadFunction(world.platform.door, 'loop', loop);
    await loadFunction(world.platform.door, 'fine', fine);
    const looping = expect(trigger('loop')).rejects.toThrow(/LIMIT_CALL_TIME|limit-call-ms/);
    await waitFor(async () => ((await trigger('fine')) as string[])[0] === 'fine', { what: 'the neighbour answers' });
    await looping;
    expect(await trigger('fine')).toEqual(['fine']);
  });
});
