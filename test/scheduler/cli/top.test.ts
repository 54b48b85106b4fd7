import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { amount, memory, span } from '../../../scheduler/cli/top/amounts.ts';
import type { RegistrationFigures, TopFigures } from '../../../scheduler/cli/top/figures.ts';
import { frameLines, type View } from '../../../scheduler/cli/top/frame.ts';
import { nextSort, SORTS } from '../../../scheduler/cli/top/sorting.ts';

const registration = (id: string, more: Partial<RegistrationFigures> = {}): RegistrationFigures => ({
  ...{ id, function: 'f', version: 1, mode: 'sync', state: 'running', health: 'ok' },
  ...{ entries: 0, executions: 0, errors: 0, retries: 0, p50Ms: null, p99Ms: null },
  ...{ unread: 0, pending: 0, waiting: 0, lagAgeMs: null, lastError: null },
  ...more,
});

const FIGURES: TopFigures = {
  atMs: Date.UTC(2026, 10, 25),
  fleet: {
    ...{ entries: 1_234, executions: 12, errors: 3, retries: 0, p50Ms: 1.25, p99Ms: 40 },
    ...{ lagAgeMs: 5_000, unread: 7, pending: 2, sandboxBytes: 2 ** 28 },
  },
  ...{ functions: 2, executionsRunning: 0, deadLetters: 4 },
  registrations: [
    registration('b/stream/s', { entries: 1_000, errors: 3, health: 'failing', lagAgeMs: 5_000, p50Ms: 1, p99Ms: 40 }),
    registration('a/stream/s', { entries: 234, pending: 2, unread: 7 }),
    registration('c/command/\x1b[31m', { state: 'paused' }),
  ],
  nodes: [
    {
      ...{ nodeId: 'host-1', slot: 0, host: 'host', pid: 1, self: true, ready: true, behind: false },
      ...{ residentBytes: 2 ** 27, heapBytes: 1, loopDelayMs: 21 },
      sandboxes: [
        {
          pid: 9,
          role: 'shared',
          residentBytes: 2 ** 28,
          isolates: [{ function: 'f', version: 1, heapBytes: 2 ** 21 }],
        },
      ],
    },
  ],
};
const VIEW: View = { sort: 'entries', isReversed: false, isPaused: false, scroll: 0, trouble: null };

interface Look extends Partial<View> {
  readonly figures?: TopFigures;
}

function frame(columns: number, rows?: number, { figures = FIGURES, ...view }: Look = {}): readonly string[] {
  const size = rows === undefined ? { columns } : { columns, rows };
  const look = { address: 'redis://h:1', intervalText: '2s', style: (_: string, text: string) => text };
  return frameLines({ figures, view: { ...VIEW, ...view }, ...size, ...look });
}

const order = (lines: readonly string[]): string =>
  lines.flatMap((line) => /^([abc])\/(?:stream|command)/.exec(line)?.[1] ?? []).join('');

describe('a picture', () => {
  test('has the fleet, its nodes, registrations and sandboxes', () => {
    const text = frame(200).join('\n');
    expect(text).toMatch(/entries 1\.2k\/s {2}executions 12\/s {2}failed 3\/s {2}p50 1\.3ms {2}p99 40ms/);
    expect(text).toMatch(/dead letters 4 {2}sandboxes 1 with 256mb/);
    expect(text).toMatch(/^host-1 \* +host +1 +ready +128mb +21ms +1$/m);
    expect(text).toMatch(/^b\/stream\/s +failing +1k +0 +3 +0 +0 +5s +1ms +40ms$/m);
    expect(text).toMatch(/^ +9 +host:1 +shared +256mb +f@1 2mb$/m);
  });

  test('sorts by each figure, greatest first, and turns around', () => {
    expect(order(frame(200))).toBe('bac');
    expect(order(frame(200, undefined, { sort: 'name' }))).toBe('abc');
    expect(order(frame(200, undefined, { sort: 'pending' }))).toBe('abc');
    expect(order(frame(200, undefined, { sort: 'lag', isReversed: true }))).toBe('cab');
    expect(SORTS.reduce((sort) => nextSort(sort), SORTS[0] as (typeof SORTS)[number])).toBe(SORTS[0]);
  });

  test('fits any screen, and nothing in it steers the terminal', () => {
    for (const columns of [20, 40, 80, 120]) {
      for (const rows of [5, 12, 16, 24, 60]) {
        const lines = frame(columns, rows, { trouble: 'DOOR_UNREACHABLE: no connection' });
        expect([columns, rows, lines.length <= rows]).toEqual([columns, rows, true]);
        expect(lines.every((line) => line.length <= columns && !line.includes('\x1b'))).toBe(true);
      }
    }
  });

  test('scrolls, counts what does not fit, and says why it stands still', () => {
    const many = Array.from({ length: 40 }, (_, n) => registration(`r${String(n).padStart(2, '0')}`));
    const figures = { ...FIGURES, registrations: many };
    const first = frame(120, 24, { sort: 'name', figures }).join('\n');
    expect(first).toMatch(/^r00 /m);
    expect(first).toMatch(/^… \d+ more$/m);
    const end = frame(120, 24, { sort: 'name', scroll: 39, isPaused: true, figures }).join('\n');
    expect(end).toMatch(/^r39 /m);
    expect(end).not.toContain('r00');
    expect(end).toMatch(/^paused$/m);
  });
});

test('amounts, times and memory are short', () => {
  expect([0, 0.04, 3.14, 950, 12_345, 1_200_000].map(amount)).toEqual(['0', '0.1', '3.1', '950', '12.3k', '1.2M']);
  expect([null, 0.44, 12, 3_200, 300_000, 7_200_000, 3 * 86_400_000].map(span)).toEqual([
    '-',
    '0.4ms',
    '12ms',
    '3.2s',
    '5m',
    '2h',
    '3d',
  ]);
  expect([null, 2 ** 19, 2 ** 26, 1.5 * 2 ** 30].map(memory)).toEqual(['-', '512kb', '64mb', '1.5gb']);
});

/** A door that answers RG.FIGURES with next to nothing. */
async function startDoor() {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      for (const [command] of data.toString().matchAll(/RG\.FIGURES|setname/gi)) {
        socket.write(command === 'RG.FIGURES' ? '*4\r\n$4\r\natMs\r\n:1\r\n$9\r\nfunctions\r\n:5\r\n' : '+OK\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const BIN = fileURLToPath(new URL('../../../scheduler/cli/regears.js', import.meta.url));

test.each([
  ['q', 0],
  ['\x03', 0],
])('on a terminal %j ends it, and gives the terminal back', async (key, code) => {
  await using server = await startDoor();
  const { port } = server.address() as { readonly port: number };
  const command = `${process.execPath} ${BIN} top --interval 200ms --url redis://127.0.0.1:${port}; echo code=$?; stty -a`;
  const shown = await new Promise<string>((resolve) => {
    // util-linux' script gives a program a terminal of its own.
    const child = execFile('script', ['-qec', command, '/dev/null'], { timeout: 30_000 }, (_, stdout) =>
      resolve(stdout),
    );
    let isPressed = false;
    let seen = '';
    child.stdout?.on('data', (text: string) => {
      seen += text;
      if (isPressed || !seen.includes('functions 5')) return;
      isPressed = true;
      child.stdin?.write(key);
    });
  });
  const [before = '', after = ''] = shown.split('\x1b[?1049l');
  expect(before).toContain('\x1b[?1049h\x1b[?25l');
  expect(before).toContain('regears top');
  expect(before.endsWith('\x1b[?25h')).toBe(true);
  expect(after).toContain(`code=${code}`);
  expect(after).toMatch(/ icanon .*/);
});
