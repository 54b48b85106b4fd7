import { expect, test } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { describeOnTopologies, loadFunction, registrationRow } from './topology.ts';

/** Example 30: the number of students, counted over the cluster and kept for five seconds. */
const students = (mode: string): string => `
GB('CommandReader').map(async () => {
  const cached = await execute('GET', 's_count{students}');
  if (cached !== null) return Number(cached);
  const [[count = '0'], errors] = await GB('KeysReader').count().run('student:*');
  if (errors.length > 0) throw new Error(errors[0]);
  await execute('SET', 's_count{students}', count, 'EX', 5);
  return Number(count);
}).register({ trigger: 'students.${mode}', mode: '${mode}', convertToStr: false });`;

/** Example 31: who comes first leaves a future, who comes second takes it and completes it. */
const RENDEZVOUS = `
const published = [];
const awaited = [];
GB('CommandReader').map(async ([, message]) => {
  const consumer = awaited.shift();
  if (consumer !== undefined) {
    await setFutureResults(consumer, message);
    return 'OK';
  }
  const future = createFuture();
  published.push({ message, future });
  const timeout = async () => setFutureException(future, 'nobody has consumed the message');
  runCoroutine(timeout, { delay: 5 });
  return await future;
}).register({ trigger: 'publish', mode: 'async_local' });
GB('CommandReader').map(async () => {
  const first = published.shift();
  if (first !== undefined) {
    await setFutureResults(first.future, 'OK');
    return first.message;
  }
  const future = createFuture();
  awaited.push(future);
  return await future;
}).register({ trigger: 'consume', mode: 'async_local' });`;

describeOnTopologies('handlers that wait', (world) => {
  /** On a connection of its own: replies of one connection wait for each other. */
  const call = async (...args: string[]): Promise<unknown> => {
    const [name = '', ...rest] = args;
    const door = world.platform.door.duplicate();
    try {
      return await door.call(name, ...rest);
    } finally {
      door.disconnect();
    }
  };
  const execute = async (script: string): Promise<readonly [string[], string[]]> =>
    (await call('RG.JSEXECUTE', script)) as [string[], string[]];
  const store = async (prefix: string, count: number): Promise<void> => {
    const client = world.topology.client();
    for (let n = 0; n < count; n += 1) await client.hset(`${prefix}:${n}`, { group: `g${n % 3}`, n });
  };
  /** Rows of RG.DUMPEXECUTIONS, without those of registrations. */
  const executions = async (): Promise<readonly string[][]> =>
    ((await call('RG.DUMPEXECUTIONS')) as string[][]).filter((row) => Number(row[5]) === 0);
  /** Nothing runs, and nothing of a run that handlers started is left. */
  const nothingLeft = async (): Promise<void> => {
    await waitFor(async () => (await executions()).length === 0, {
      what: 'no execution is left',
    });
    const client = world.topology.client();
    const nodes = 'nodes' in client ? client.nodes('master') : [client];
    expect((await Promise.all(nodes.map((node) => node.keys('rg:*pieces*')))).flat()).toEqual([]);
  };

  test.each(['sync', 'async_local', 'async'])(
    '30: a count over the cluster is kept for five seconds (%s)',
    async (mode) => {
      const client = world.topology.client();
      await client.del('s_count{students}', 's_count{students}');
      for (let n = 0; n < 30; n += 1) await client.set(`student:${n}`, 'x');
      await loadFunction(world.platform.door, `students.${mode}`, students(mode));
      expect(await call('RG.TRIGGER', `students.${mode}`)).toEqual([30]);
      expect(await client.ttl('s_count{students}')).toBeGreaterThan(0);
      expect(await client.ttl('s_count{students}')).toBeLessThanOrEqual(5);
      await client.set('student:new', 'x');
      expect(await call('RG.TRIGGER', `students.${mode}`)).toEqual([30]);
      await client.del('s_count{students}');
      expect(await call('RG.TRIGGER', `students.${mode}`)).toEqual([31]);
      await client.del('student:new');
      await nothingLeft();
    },
  );

  test('31: publisher and consumer meet, whoever comes first', async () => {
    await loadFunction(world.platform.door, 'rendezvous', RENDEZVOUS);
    const publishing = call('RG.TRIGGER', 'publish', 'hello');
    expect(await call('RG.TRIGGER', 'consume')).toEqual(['hello']);
    expect(await publishing).toEqual(['OK']);
    const consuming = call('RG.TRIGGER', 'consume');
    expect(await call('RG.TRIGGER', 'publish', 'again')).toEqual(['OK']);
    expect(await consuming).toEqual(['again']);
  });

  test('31, 32: a publisher whom nobody meets fails after 5 s, and so long a sleep takes', async () => {
    await loadFunction(world.platform.door, 'rendezvous', RENDEZVOUS);
    const begin = performance.now();
    const [publishing, sleeping] = await Promise.all([
      call('RG.TRIGGER', 'publish', 'lost').catch((error: unknown) => String(error)),
      execute("GB('ShardsIDReader').foreach(async () => sleep(5)).run()"),
    ]);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(5_000);
    expect(performance.now() - begin).toBeLessThan(9_000);
    expect(publishing).toBe('ReplyError: nobody has consumed the message');
    const [ids, errors] = sleeping;
    expect(errors).toEqual([]);
    expect(ids.length).toBe('nodes' in world.topology.client() ? 3 : 1);
    for (const id of ids) expect(id).toMatch(/^(1|[0-9a-f]{40})$/);
  });

  test('many sleep at once in the time of one', async () => {
    const begin = performance.now();
    const [[count]] = await execute(
      "GB('PythonReader').foreach(() => sleep(1)).count().run(function* () { for (let n = 0; n < 900; n += 1) yield n; })",
    );
    expect(Number(count) % 900).toBe(0);
    expect(performance.now() - begin).toBeLessThan(6_000);
  });

  test('functions of a run see what stands around them, and records cross shards', async () => {
    await store('grouped', 60);
    await loadFunction(
      world.platform.door,
      'grouped',
      `GB('CommandReader').map(async ([, pattern, least]) => {
        const wanted = new Set(['g1', 'g2']);
        const [groups] = await GB().filter((r) => wanted.has(r.value.group) && r.value.n >= +least)
          .countby((r) => r.value.group).run(pattern, { convertToStr: false });
        return groups.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ key, value }) => key + '=' + value).join();
      }).register({ trigger: 'grouped', mode: 'async_local' });`,
    );
    expect(await call('RG.TRIGGER', 'grouped', 'grouped:*', '0')).toEqual(['g1=20,g2=20']);
    expect(await call('RG.TRIGGER', 'grouped', 'grouped:*', '30')).toEqual(['g1=10,g2=10']);
    expect(await call('RG.TRIGGER', 'grouped', 'nothing:*', '0')).toEqual(['']);
    await nothingLeft();
  });

  test('results are values: what convertToStr leaves alone arrives as it left', async () => {
    const [[text]] = await execute(`GB('ShardsIDReader').collect().limit(1).map(async () => {
      const [[map]] = await GB('ShardsIDReader').collect().limit(1)
        .map(() => new Map([['when', new Date(0)], ['bytes', new Uint8Array([0, 255])], ['big', 2n ** 70n]]))
        .run({ convertToStr: false });
      const [[number, word]] = await GB('GeneratorReader').collect().run(() => [-1, '+plain'], { mode: 'async_local' });
      return [map.get('when').toISOString(), map.get('bytes')[1], String(map.get('big')), number, word];
    }).run()`);
    expect(JSON.parse(text ?? '')).toEqual(['1970-01-01T00:00:00.000Z', 255, String(2n ** 70n), '-1', '+plain']);
  });

  test('errors of a run are in its second list, with their place, and the handler goes on', async () => {
    await store('wrong', 3);
    const [[text], errors] = await execute(`GB('ShardsIDReader').collect().limit(1).map(async () => {
      const [results, errors] = await GB()
        .map((r) => r.value.nothing.length).run('wrong:0');
      return { results, errors };
    }).run()`);
    expect(errors).toEqual([]);
    const inner = JSON.parse(text ?? '') as { results: string[]; errors: string[] };
    expect(inner.results).toEqual([]);
    expect(inner.errors).toEqual([expect.stringMatching(/TypeError.*\n?.*:3:/s)]);
  });

  test('a run of a handler reads no more than its version keeps to, and nothing of the platform', async () => {
    await loadFunction(
      world.platform.door,
      'modest',
      `configure({ keys: ['own:*'] });
      const said = (work) => work.then(([results, errors]) => results.length + errors.length, (error) => error.message);
      GB('CommandReader').map(async ([, reader, arg]) => said(GB(reader).run(arg))).register({ trigger: 'modest', mode: 'async_local' });`,
    );
    await world.topology.client().set('own:1', 'x');
    expect(await call('RG.TRIGGER', 'modest', 'KeysReader', 'own:*')).toEqual(['1']);
    const [refusal] = (await call('RG.TRIGGER', 'modest', 'KeysReader', '*')) as string[];
    expect(refusal).toBe('COMMAND_FORBIDDEN the run reads "*"; this version keeps to own:* (configure)');
    await call('RG.TRIGGER', 'modest', 'KeysReader', 'own:*');
    const [[read]] = await execute(`GB('ShardsIDReader').collect().limit(1).map(async () =>
      (await GB('StreamReader').run('rg:{journal}:log:modest'))[0].length).run()`);
    expect(read).toBe('0');
  });

  test('a run that starts itself ends at the third one within', async () => {
    const [[text]] = await execute(`const dive = async (depth) => {
      const [[deeper], [error]] = await GB('GeneratorReader').map(() => dive(depth + 1)).run(() => [0], { mode: 'async_local' });
      return deeper ?? depth + ' ' + error;
    };
    GB('ShardsIDReader').collect().limit(1).map(() => dive(0)).run()`);
    expect(text).toMatch(/^2 Error: LIMIT_WAITS runs may start runs 3 deep/);
    await nothingLeft();
  });

  test('handlers who wait for runs hold nothing that the runs need', { timeout: 120_000 }, async () => {
    await store('item', 30);
    await loadFunction(
      world.platform.door,
      'narrow',
      `configure({ limits: { concurrency: 1 } });
      GB('StreamReader').foreach(async (r) => {
        const [[count]] = await GB('KeysOnlyReader').count().run('item:*');
        await execute('HSET', 'counted', r.value.n, count);
      }).register({ prefix: 'orders', mode: 'async', onFailedPolicy: 'retry' });`,
    );
    const client = world.topology.client();
    for (let n = 0; n < 20; n += 1) await client.xadd('orders', '*', 'n', n);
    const script = `GB('ShardsIDReader').collect().limit(1).map(async () => (await GB('KeysOnlyReader').count().run('item:*'))[0][0]).run()`;
    const runs = await Promise.all(Array.from({ length: 40 }, () => execute(script)));
    expect(runs).toEqual(runs.map(() => [['30'], []]));
    await waitFor(async () => (await client.hlen('counted')) === 20, { what: 'all entries', deadlineMs: 60_000 });
    expect(new Set(await client.hvals('counted'))).toEqual(new Set(['30']));
    await nothingLeft();
  });

  test('the end of a handler is the end of its run', async () => {
    await loadFunction(
      world.platform.door,
      'impatient',
      `configure({ limits: { execution: '300ms' } });
      const slow = () => GB('ShardsIDReader').foreach(() => sleep(60)).run();
      GB('CommandReader').map(slow).register({ trigger: 'impatient', mode: 'async_local' });
      GB('CommandReader').map(() => { slow(); return 'done'; }).register({ trigger: 'careless', mode: 'async_local' });`,
    );
    await expect(call('RG.TRIGGER', 'impatient')).rejects.toThrow(/LIMIT_EXECUTION_TIME/);
    await nothingLeft();
    expect(await call('RG.TRIGGER', 'careless')).toEqual(['done']);
    await nothingLeft();
    await waitFor(async () => JSON.stringify(await call('RG.LOGS', 'FUNCTION', 'impatient')).includes('await it'), {
      what: 'the log says that a run was ended',
    });
  });

  test('aborting a run aborts the runs that its functions wait for', async () => {
    const id = (await call(
      'RG.JSEXECUTE',
      "GB('ShardsIDReader').map(() => GB('ShardsIDReader').foreach(() => sleep(20)).run()).run()",
      'UNBLOCKING',
    )) as string;
    await waitFor(async () => (await executions()).length > 1, {
      what: 'the inner run runs',
    });
    expect(await call('RG.ABORTEXECUTION', id)).toBe('OK');
    await call('RG.DROPEXECUTION', id);
    await nothingLeft();
  });

  test('a run that a handler waits for can be aborted by its id', async () => {
    await loadFunction(
      world.platform.door,
      'aborted',
      `GB('CommandReader').map(async () => (await GB('ShardsIDReader').foreach(() => sleep(20)).run())[1])
        .register({ trigger: 'aborted', mode: 'async_local' });`,
    );
    const calling = call('RG.TRIGGER', 'aborted');
    const rows = await waitFor(
      async () => {
        const listed = await executions();
        return listed.length === 1 && listed[0]?.[3] === 'running' && listed;
      },
      { what: 'it runs' },
    );
    expect(await call('RG.ABORTEXECUTION', rows[0]?.[1] ?? '')).toBe('OK');
    expect(JSON.parse(((await calling) as string[])[0] ?? '')).toContain('Execution aborted');
    await nothingLeft();
  });

  test('a flat error is all that its caller and the registration hear', async () => {
    const { door } = world.platform;
    const { ids } = await loadFunction(
      door,
      'flat',
      `GB('CommandReader').map(() => flatError('NOSUCHUSER there is no user 7')).register({ trigger: 'flat', mode: 'async_local' });
      GB('StreamReader').foreach(() => flatError('PAUSE upstream is down')).register({ prefix: 'flat:in', mode: 'async_local' });`,
    );
    await expect(call('RG.TRIGGER', 'flat')).rejects.toThrow(/^NOSUCHUSER there is no user 7$/);
    const [command = '', stream = ''] = ids;
    await waitFor(
      async () => (await registrationRow(door, command)).get('lastError') === 'NOSUCHUSER there is no user 7',
      {
        what: 'the last error of the registration',
      },
    );
    await world.topology.client().xadd('flat:in', '*', 'n', 1);
    await waitFor(async () => (await registrationRow(door, stream)).get('status') === 'PAUSED', { what: 'it pauses' });
    expect((await registrationRow(door, stream)).get('lastError')).toBe('PAUSE upstream is down');
    const [, errors] = await execute("GB('ShardsIDReader').foreach(() => flatError('as it is')).collect().run()");
    expect(new Set(errors)).toEqual(new Set(['as it is']));
  });

  test('a timer of registerTE ticks until its callback throws', async () => {
    const { door } = world.platform;
    const { ids } = await loadFunction(
      door,
      'ticker',
      `registerTE(1, async () => {
        if ((await execute('INCR', 'ticks')) >= 2) throw new Error('enough');
      });`,
    );
    await waitFor(async () => (await registrationRow(door, ids[0] ?? '')).get('status') === 'ABORTED', {
      what: 'it has stopped',
    });
    expect(await world.topology.client().get('ticks')).toBe('2');
  });
});
