import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { loadFunction } from './topology.ts';

const MOST = 10_000;
const LEAST = 5_000;
/** Files that both processes need for other things. */
const OTHERS = 1_000;
const AT_ONCE = 250;

/** Node raises its limit of open files as far as it may; the platform's process has the same one. */
function openFilesAllowed(): number {
  const limit = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? '0';
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

function answerOf(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1')));
    socket.write(text);
  });
}

test('10,000 idle connections at the door, some of them in the middle of a request, hold up nobody', {
  timeout: 120_000,
}, async () => {
  const count = Math.min(MOST, openFilesAllowed() - OTHERS);
  expect(count, 'the limit of open files of this machine').toBeGreaterThanOrEqual(LEAST);
  await using platform = await startPlatformProcess({ flags: ['--max-connections', String(count + 100)] });
  const { door, respPort } = platform;
  await loadFunction(
    door,
    'echo',
    "GB('CommandReader').map((a) => a[1]).register({ trigger: 'echo', mode: 'async_local' });",
  );
  const idle: Socket[] = [];
  try {
    while (idle.length < count) {
      const size = Math.min(AT_ONCE, count - idle.length);
      idle.push(...(await Promise.all(Array.from({ length: size }, () => open(respPort)))));
    }
    // Every tenth has begun a request and does not go on.
    for (let n = 0; n < count; n += 10) idle[n]?.write('*2\r\n$10\r\nRG.TRIG');
    const startedMs = performance.now();
    for (let n = 0; n < 100; n += 1) {
      expect(await door.set('k', String(n))).toBe('OK');
      expect(await door.call('RG.TRIGGER', 'echo', String(n))).toEqual([String(n)]);
    }
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    for (const n of [1, 4_999, count - 1]) {
      expect(await answerOf(idle[n] as Socket, '*1\r\n$4\r\nPING\r\n')).toBe('+PONG\r\n');
    }
    expect(await answerOf(idle[0] as Socket, 'GER\r\n$4\r\necho\r\n')).toMatch(/^\*1\r\n/);
  } finally {
    for (const socket of idle) socket.destroy();
  }
  const fresh = await open(respPort);
  expect(await answerOf(fresh, 'PING\r\n')).toBe('+PONG\r\n');
  fresh.destroy();
});
