import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cluster, Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { describeOnTopologies } from './topology.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LEAST_BYTES = 10 * 1024 * 1024;
const PAGE_CHARS = 8 * 1024;

/** More than 10 MB that people wrote, nothing twice: the documents and commented declarations of this repository and of what it stands on. */
function readPages(): readonly string[] {
  const pages: string[] = [];
  let bytes = 0;
  for (const file of [...filesIn(join(ROOT, 'docs')), ...filesIn(join(ROOT, 'node_modules'))]) {
    const text = readFileSync(file, 'utf8');
    for (let at = 0; at < text.length; at += PAGE_CHARS) pages.push(text.slice(at, at + PAGE_CHARS));
    bytes += Buffer.byteLength(text);
    if (bytes > LEAST_BYTES) break;
  }
  expect(bytes).toBeGreaterThan(LEAST_BYTES);
  return pages;
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:md|d\.ts)$/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
}

function countWords(pages: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const page of pages) {
    for (const word of page.toLowerCase().match(/\p{L}+/gu) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

async function store(client: Redis | Cluster, pages: readonly string[]): Promise<void> {
  for (let at = 0; at < pages.length; at += 100) {
    await Promise.all(pages.slice(at, at + 100).map((page, n) => client.set(`page:${at + n}`, page)));
  }
}

describeOnTopologies('words of a real text', (world) => {
  test('more than 10 MB are counted as a plain loop counts them', async () => {
    const pages = readPages();
    await store(world.topology.client(), pages);
    const script = "GB().flatmap((r) => r.value.toLowerCase().match(/\\p{L}+/gu) ?? []).countby().run('page:*')";
    const [results, errors] = (await world.platform.door.call('RG.JSEXECUTE', script)) as [string[], string[]];
    expect(errors).toEqual([]);
    const counted = results.map((text) => JSON.parse(text) as { key: string; value: number });
    const expected = countWords(pages);
    expect(counted.length).toBe(expected.size);
    expect(counted.filter(({ key, value }) => expected.get(key) !== value)).toEqual([]);
  });
});
