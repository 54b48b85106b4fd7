import { describe, expect, test } from 'vitest';
import { createEventReader } from '../../../../scheduler/gateway/http/dashboard/page/api/event-reader.ts';
import { diffRows } from '../../../../scheduler/gateway/http/dashboard/page/text/diff-rows.ts';
import { memory, prettyText, span, valueText } from '../../../../scheduler/gateway/http/dashboard/page/text/format.ts';
import { framesOf } from '../../../../scheduler/gateway/http/dashboard/page/text/stack-frames.ts';
import { tokenLines } from '../../../../scheduler/gateway/http/dashboard/page/text/tokens.ts';

describe('events', () => {
  const text =
    'retry: 2000\n\nevent: hello\ndata: {"atMs":1}\n\n: comment\n\nid: 5-0\nevent: line\ndata: {"a":\ndata: "b"}\n\n';

  test('are the same however the text is cut', () => {
    const whole = createEventReader()(text);
    expect(whole).toEqual([
      { event: 'hello', id: null, data: { atMs: 1 } },
      { event: 'line', id: '5-0', data: { a: 'b' } },
    ]);
    const read = createEventReader();
    expect([...text].flatMap((character) => read(character))).toEqual(whole);
  });

  test('may end their lines as Windows does', () => {
    expect(createEventReader()('event: beat\r\ndata: 1\r\n\r\n')).toEqual([{ event: 'beat', id: null, data: 1 }]);
  });
});

describe('source text', () => {
  test('keeps every character and every line when it is coloured', () => {
    const source = "const a = `x\n} /* no */`; // c\n/* long\ncomment */ let b = 0x1fn;\n\n'open\nz\\";
    const lines = tokenLines(source);
    expect(lines.map((tokens) => tokens.map(({ text }) => text).join('')).join('\n')).toBe(source);
    expect(lines[0]?.[0]).toEqual({ kind: 'keyword', text: 'const' });
    expect(lines[2]?.at(0)?.kind).toBe('comment');
  });

  test('is found by the places that a stack names, innermost first', () => {
    const stack = 'Error: at 3:4 it broke\n    at check (lib/money.ts:12:7)\n    at shop.ts:6:11\n    at async foreach';
    expect(framesOf(stack)).toEqual([
      { file: 'lib/money.ts', line: 12, column: 7 },
      { file: 'shop.ts', line: 6, column: 11 },
    ]);
    expect(framesOf('StreamReader.register: unknown argument "a". (orders.ts:8:4)')).toEqual([
      { file: 'orders.ts', line: 8, column: 4 },
    ]);
    expect(framesOf(null)).toEqual([]);
  });
});

test('removed lines stand beside the added ones that took their place', () => {
  const line = (kind: 'same' | 'added' | 'removed', text: string) => ({ kind, text, fromLine: null, toLine: null });
  const lines = [line('same', 'a'), line('removed', 'b'), line('removed', 'c'), line('added', 'B'), line('same', 'd')];
  const rows = diffRows({ fromLine: 1, fromCount: 4, toLine: 1, toCount: 3, lines });
  expect(rows.map(({ from, to }) => [from?.text ?? null, to?.text ?? null])).toEqual([
    ['a', 'a'],
    ['b', 'B'],
    ['c', null],
    ['d', 'd'],
  ]);
});

test('amounts are written in the two greatest units', () => {
  expect([null, 0.44, 340, 2_400, 59_940, 184_000, 3_600_000, 90_061_000].map(span)).toEqual([
    '–',
    '0.4 ms',
    '340 ms',
    '2.4 s',
    '59.9 s',
    '3 min 4 s',
    '1 h',
    '1 d 1 h',
  ]);
  expect([0, 900, 1_536, 67_108_864, 160_000_000].map(memory)).toEqual([
    '0 B',
    '900 B',
    '1.5 KiB',
    '64 MiB',
    '153 MiB',
  ]);
});

test('values are shown as what they are', () => {
  expect(valueText({ base64: '/w==' })).toBe('base64:/w==');
  expect(valueText(['a', 1, null])).toBe('[\n  "a",\n  1,\n  null\n]');
  expect(prettyText('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(prettyText('[not json')).toBe('[not json');
});
