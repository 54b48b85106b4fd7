import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChildHarness, commandsOf, entriesOf, type SentCommand } from './child-harness.ts';

let child: ChildHarness;
beforeAll(async () => {
  child = await ChildHarness.start();
});
afterAll(() => child.stop());

const one = { payload: entriesOf([['n', '0']]), entryCount: 1 };
const handler = (body: string) => `GB('StreamReader').foreach(async r => { ${body} }).register()`;
const shown = (commands: readonly SentCommand[]) =>
  commands.map(({ args, opens, closes }) => `${opens ? '[' : ''}${args.join(' ')}${closes ? ']' : ''}`);

describe('atomic without a parameter', () => {
  test('marks its commands as one group and resolves with their replies', async () => {
    await child.load(
      handler(
        "execute('A'); const p = atomic(() => { execute('B'); execute('C') }); execute('D'); log(JSON.stringify(await p))",
      ),
    );
    let n = 0;
    const { commands, logs } = await child.run({ ...one, reply: () => `:${++n}\r\n` });
    expect(shown(commands)).toEqual(['A', '[B', 'C]', 'D']);
    expect(logs[0]?.message).toBe('[2,3]');
  });

  test('code can ask whether it is within, until it first awaits', async () => {
    await child.load(
      handler(
        "const seen = [isInAtomicBlock()]; await atomic(async () => { seen.push(isInAtomicBlock()); execute('B'); await null; seen.push(isInAtomicBlock()) }); seen.push(isInAtomicBlock()); log(seen.join())",
      ),
    );
    expect((await child.run(one)).logs[0]?.message).toBe('false,true,false,false');
  });

  test('one command is a group too, none is none', async () => {
    await child.load(handler("await atomic(() => execute('B')); log(JSON.stringify(await atomic(() => {})))"));
    const { commands, logs } = await child.run(one);
    expect(shown(commands)).toEqual(['[B]']);
    expect(logs[0]?.message).toBe('[]');
  });

  test('what the function throws takes everything back', async () => {
    await child.load(
      handler(
        "execute('A'); await atomic(() => { execute('B'); throw new Error('no') }).catch(e => log(e.message)); await execute('C')",
      ),
    );
    const { commands, logs, done } = await child.run(one);
    expect(shown(commands)).toEqual(['A', 'C']);
    expect(logs[0]?.message).toBe('no');
    expect(done).toEqual([0]);
  });

  test('a refused command rejects it with the text of Redis', async () => {
    await child.load(handler("await atomic(() => { execute('B'); execute('C') })"));
    const { failed } = await child.run({ ...one, reply: ({ args }) => (args[0] === 'C' ? '-ERR c\r\n' : ':1\r\n') });
    expect(failed.get(0)).toMatchObject({ code: 'REDIS_REPLY', message: 'ERR c' });
  });

  test('a command after an await inside is an error, one beside it is not', async () => {
    await child.load(handler("await atomic(async () => { await execute('B'); await execute('C') })"));
    const inside = await child.run(one);
    expect(inside.failed.get(0)?.message).toContain('after an await inside atomic');
    expect(shown(inside.commands)).toEqual(['[B]']);
    await child.load(
      handler(
        "await Promise.all([atomic(async () => { execute('B') }), (async () => { await null; await execute('C') })()])",
      ),
    );
    expect((await child.run(one)).done).toEqual([0]);
    await child.load(
      handler("await Promise.all([atomic(() => execute('B')), (async () => { await null; await execute('C') })()])"),
    );
    expect((await child.run(one)).done).toEqual([0]);
  });

  test('cannot be nested and takes a function only', async () => {
    await child.load(handler('await atomic(() => atomic(() => {}))'));
    expect((await child.run(one)).failed.get(0)?.message).toContain('cannot be nested');
    await child.load(handler('await atomic(5)'));
    expect((await child.run(one)).failed.get(0)?.name).toBe('TypeError');
  });
});

describe('atomic with a transaction', () => {
  const transfer = handler(`
    const replies = await atomic(async tx => {
      if (!isInAtomicBlock()) throw new Error('not within');
      const balance = Number(await tx.execute('GET', 'account'));
      if (balance < 10) throw new Error('not enough');
      tx.execute('SET', 'account', balance - 10);
    });
    await execute('LOG', replies.join());`);

  test('reads, writes and commits', async () => {
    await child.load(transfer);
    const { sessions, commands } = await child.run({
      ...one,
      session: ({ op, command }) => {
        if (op === 'commit') return '*1\r\n+OK\r\n';
        if (op === 'command') return commandsOf(command)[0]?.[0] === 'GET' ? '$2\r\n25\r\n' : '+QUEUED\r\n';
        return undefined;
      },
    });
    expect(sessions.map(({ op, command }) => [op, ...(commandsOf(command)[0] ?? [])].join(' '))).toEqual([
      'open',
      'command GET account',
      'command SET account 15',
      'commit',
    ]);
    expect(shown(commands)).toEqual(['LOG OK']);
  });

  test('runs again in a new session while EXEC is refused, then gives up', async () => {
    await child.load(transfer);
    let commits = 0;
    const answer = (refusals: number) => ({
      ...one,
      session: ({ op }: { op: string }) => {
        if (op === 'command') return '$3\r\n100\r\n';
        if (op !== 'commit') return undefined;
        return ++commits <= refusals ? '*-1\r\n' : '*1\r\n+OK\r\n';
      },
    });
    const twice = await child.run(answer(2));
    expect(twice.done).toEqual([0]);
    expect(new Set(twice.sessions.map(({ session }) => session)).size).toBe(3);
    commits = 0;
    const never = await child.run(answer(1000));
    expect(never.failed.get(0)).toMatchObject({ code: 'ATOMIC_REFUSED' });
    expect(commits).toBe(100);
  });

  test('discards when the function throws, and when its entry is given up', async () => {
    await child.load(transfer);
    const poor = await child.run({ ...one, session: ({ op }) => (op === 'command' ? '$1\r\n5\r\n' : undefined) });
    expect(poor.failed.get(0)?.message).toBe('not enough');
    expect(poor.sessions.at(-1)?.op).toBe('discard');
    const hanging = await child.begin({ ...one, session: () => undefined }, (r) => r.sessions.length === 2);
    await child.cancel(hanging.batch, [0]);
    expect(hanging.record.sessions.at(-1)?.op).toBe('discard');
  });

  test('refuses execute inside and tx.execute afterwards', async () => {
    await child.load(handler("await atomic(async tx => { execute('A') })"));
    expect((await child.run(one)).failed.get(0)?.message).toContain('tx.execute');
    await child.load(handler("let t; await atomic(async tx => { t = tx }); await t.execute('A')"));
    const late = await child.run({ ...one, session: ({ op }) => (op === 'commit' ? '*0\r\n' : undefined) });
    expect(late.failed.get(0)?.message).toContain('after the function of atomic had ended');
  });
});
