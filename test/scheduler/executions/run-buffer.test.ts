import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '#functions';
import type { EndedEntries, Invocation, Outcome } from '#runtime';
import { createRunBuffer, type RunBuffer } from '../../../scheduler/executions/run-buffer.ts';

const OUTCOME: Outcome = { done: 1, filtered: 0, failed: 0, executions: 1, commands: 0, durationMs: 3.4 };

function invocationOf(fields: Partial<Invocation>): Invocation {
  return {
    target: {
      functionName: 'f',
      version: 2,
      artifact: { sha256: '', language: 'js', source: '', code: '', sourceMap: null },
      limits: DEFAULT_LIMITS,
      settings: {},
    },
    ...{ registrationIndex: 0, registrationId: 'f/stream/s', shape: 'stream', payload: '', entryCount: 1 },
    ...{ key: 's', hashtag: 's', executionSize: 1, ordered: false, wantResults: false },
    onEnded: () => {},
    signal: new AbortController().signal,
    ...fields,
  };
}

/** Runs one that fails with these messages. */
async function run(buffer: RunBuffer, fields: Partial<Invocation>, messages: readonly string[] = []): Promise<void> {
  const failed = messages.map((message, index) => ({
    ...{ index, kind: 'guest' as const },
    error: { code: 'GUEST_ERROR', name: 'Error', message, stack: '' },
  }));
  await buffer.around(invocationOf(fields), async ({ onEnded }) => {
    onEnded({ done: [], filtered: [], failed, results: null });
    return { ...OUTCOME, failed: failed.length };
  });
}

const takenFrom = (buffer: RunBuffer, id = 'f/stream/s'): Record<string, unknown>[] =>
  (buffer.take().get(id) ?? []).map((text) => JSON.parse(text));

test('what an execution came to is noted, and its caller hears of every end', async () => {
  const buffer = createRunBuffer('n1', 10);
  const heard: EndedEntries[] = [];
  await run(buffer, { key: 'gr\xc3\xbcn', onEnded: (ended) => heard.push(ended) }, ['no']);
  expect(heard).toHaveLength(1);
  expect(takenFrom(buffer)).toMatchObject([
    {
      ...{ functionName: 'f', version: 2, key: 'grün', node: 'n1', durationMs: 3, executions: 1, entries: 1 },
      ...{ done: 1, failed: 1, errors: ['Error: no'] },
    },
  ]);
  expect(buffer.isEmpty).toBe(true);
});

test('of many only the newest are kept, of many errors the first, of long ones the beginning', async () => {
  const buffer = createRunBuffer('n1', 3);
  for (let n = 0; n < 100; n += 1) await run(buffer, { entryCount: n });
  expect(takenFrom(buffer).map(({ entries }) => entries)).toEqual([97, 98, 99]);
  await run(
    buffer,
    {},
    Array.from({ length: 50 }, (_, n) => `${n}`.padEnd(100_000, 'x')),
  );
  const [{ errors } = {}] = takenFrom(buffer);
  expect((errors as string[]).map((text) => [text.slice(0, 8), text.length])).toEqual(
    Array.from({ length: 10 }, (_, n) => [`Error: ${n}`, 2_000]),
  );
});

test('calls are not noted, nor anything while none are to be kept', async () => {
  const buffer = createRunBuffer('n1', 3);
  await run(buffer, { shape: 'command' });
  await run(buffer, { shape: 'hook' });
  expect(buffer.isEmpty).toBe(true);
  buffer.most = 0;
  await run(buffer, {});
  expect(buffer.isEmpty).toBe(true);
});
