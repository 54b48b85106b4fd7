import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { waitFor } from '../support/wait.ts';
import { loadFunction, registrationRow } from './topology.ts';

const counter = (version: string): string => `new GB('StreamReader')
  .foreach(async (r) => {
    await execute('SADD', 'tried', r.id);
    if (!(await execute('EXISTS', 'open'))) throw new Error('not yet');
    await execute('HINCRBY', 'ran:${version}', r.id, 1);
  })
  .register({ prefix: 'in:*', mode: 'async_local', onFailedPolicy: 'retry', maxAttempts: 0, onFailedRetryInterval: 60 });`;

const paused = `new GB('StreamReader').foreach(async (r) => { await execute('INCR', 'paused:ran'); })
  .register({ prefix: 'held:*', mode: 'sync' });`;

const startOn = (dataDir: string) => startPlatformProcess({ flags: ['--data-dir', dataDir] });

test.concurrent.each(['SIGTERM', 'SIGKILL'] as const)(
  'a node with its embedded Redis goes on where it stood after %s: functions, versions, states, data, pending entries',
  async (signal) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'regears-restart-'));
    const ids: string[] = [];
    let group = '';
    let held = '';
    try {
      {
        await using node = await startOn(dataDir);
        await loadFunction(node.door, 'counter', counter('1'));
        group = (await loadFunction(node.door, 'counter', counter('2'))).ids[0] ?? '';
        held = (await loadFunction(node.door, 'paused', paused)).ids[0] ?? '';
        await node.door.call('RG.PAUSEREGISTRATIONS', held);
        for (let n = 0; n < 50; n += 1) ids.push(String(await node.door.xadd('in:a', '*', 'n', String(n))));
        await node.door.xadd('held:a', '*', 'f', 'v');
        await node.door.set('mine', 'kept');
        await waitFor(async () => (await node.door.scard('tried')) === 50, { what: 'every entry has been tried' });
        await node.door.set('open', '1');
        // Everything in Redis is on disk at most a second after it was written.
        if (signal === 'SIGKILL') await onDisk(node.door);
        if (signal === 'SIGTERM') expect(await node.stop()).toBe(0);
        else await node.kill();
      }
      await using node = await startOn(dataDir);
      expect(await node.door.get('mine')).toBe('kept');
      expect(JSON.stringify(await node.door.call('RG.FUNCTION', 'VERSIONS', 'counter'))).toMatch(/1.*2/);
      expect((await registrationRow(node.door, held)).get('state')).toBe('paused');
      expect((await registrationRow(node.door, group)).get('state')).toBe('running');
      ids.push(String(await node.door.xadd('in:b', '*', 'n', 'new')));
      // What waits for its retry in a minute is tried at once by a node that starts.
      await waitFor(async () => Number((await registrationRow(node.door, group)).get('done')) === 51, {
        what: 'pending and new entries have run',
      });
      const runs = await node.door.hgetall('ran:2');
      expect(Object.keys(runs).sort()).toEqual([...new Set(ids)].sort());
      expect(await node.door.get('paused:ran')).toBeNull();
      await node.door.call('RG.UNPAUSEREGISTRATIONS', held);
      await waitFor(async () => (await node.door.get('paused:ran')) === '1', { what: 'what was held has run' });
      expect(await node.stop()).toBe(0);
    } finally {
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    }
  },
);

/** Waits until the server has written its file to the disk. */
async function onDisk(door: Redis): Promise<void> {
  await waitFor(async () => /aof_pending_bio_fsync:0/.test(String(await door.info('persistence'))), { what: 'fsync' });
}
