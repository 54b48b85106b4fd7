import { describe, expect, test } from 'vitest';
import { compileArtifact } from '#functions';
import { createErrorTransfer } from '../../../runtime/sandbox/error-transfer.ts';

const SOURCE = `interface Event { readonly id: string }

export function explode(event: Event): never {
  throw new Error(event.id);
}
`;

async function transferOf(source = SOURCE) {
  const artifact = await compileArtifact({
    source,
    language: 'ts',
    sourceMap: null,
    fileName: 'clicks.ts',
    maxBytes: 100_000,
  });
  const toError = createErrorTransfer({ artifact, fileName: 'clicks.v3.js', sourceName: 'clicks.ts' });
  return { artifact, toError };
}

function report(fields: object): object {
  return { code: 'GUEST_ERROR', name: 'TypeError', message: 'x is not a function', stack: '', ...fields };
}

describe('an error on its way out of a sandbox', () => {
  test('shows the lines of the author', async () => {
    const { artifact, toError } = await transferOf();
    const lines = artifact.code.split('\n');
    const row = lines.findIndex((line) => line.includes('throw new Error')) + 1;
    const column = (lines[row - 1]?.indexOf('throw') ?? 0) + 1;
    const { stack } = toError(report({ stack: `TypeError: x\n    at explode (clicks.v3.js:${row}:${column})` }));
    expect(stack).toMatch(/^TypeError: x\n {4}at explode \(.*clicks\.ts:4:\d+\)$/);
  });

  test('keeps positions where there is no map, under the name the author knows', () => {
    const artifact = { sha256: '0', language: 'js', source: 'x', code: 'x', sourceMap: null } as const;
    const toError = createErrorTransfer({ artifact, fileName: 'clicks.v3.js', sourceName: 'clicks.js' });
    expect(toError(report({ stack: 'at f (clicks.v3.js:2:7), clicks.v3.js:9:1' })).stack).toBe(
      'at f (clicks.js:2:7), clicks.js:9:1',
    );
  });

  test('survives a source map that is none', () => {
    const artifact = { sha256: '0', language: 'js', source: 'x', code: 'x', sourceMap: '{"nonsense"' } as const;
    const toError = createErrorTransfer({ artifact, fileName: 'c.v1.js', sourceName: 'c.js' });
    expect(toError(report({ stack: 'at c.v1.js:1:1' })).stack).toBe('at c.js:1:1');
  });

  test('is bounded, however much a guest says', async () => {
    const { toError } = await transferOf();
    const huge = 'x'.repeat(5_000_000);
    const error = toError(report({ name: huge, message: huge, stack: `${huge}\n`.repeat(3) }));
    expect(error.name.length + error.message.length + error.stack.length).toBeLessThan(50_000);
    expect(error.message).toContain('more characters');
  });

  test.each([
    ['a code that is none', { code: 'DROP TABLE' }],
    ['a code of the node', { code: 'SANDBOX_QUARANTINED' }],
    ['a number', { code: 7 }],
  ])('%s becomes GUEST_ERROR', async (_, fields) => {
    const { toError } = await transferOf();
    expect(toError(report(fields)).code).toBe('GUEST_ERROR');
  });

  test.each([null, 'text', 7, {}, { message: { toString: 'no' } }])('%j is an error too', async (value) => {
    const { toError } = await transferOf();
    expect(toError(value)).toEqual({ code: 'GUEST_ERROR', name: 'Error', message: '', stack: '' });
  });
});
