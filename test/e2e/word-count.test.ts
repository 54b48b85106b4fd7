import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cluster, Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { describeOnTopologies } from './topology.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LEAST_BYTES = 10 * 1024 * 1024;
const PAGE_CHARS = 8 * 1024;

/** More than 10 MB of prose: the documents of this repository and of the packages it runs on, over and over again. */
function readPages(): readonly string[] {
  const prose = [ROOT, join(ROOT, 'docs'), ...packageFolders()].flatMap(documentsIn).join('\n');
  expect(prose.length).toBeGreaterThan(100_000);
  const pages: string[] = [];
  for (let bytes = 0, round = 0; bytes <= LEAST_BYTES; round += 1) {
    for (let at = 0; at < prose.length && bytes <= LEAST_BYTES; at += PAGE_CHARS) {
      const page = `${prose.slice(at, at + PAGE_CHARS)} round${round}`;
      pages.push(page);
      bytes += Buffer.byteLength(page);
    }
  }
  return pages;
}

function packageFolders(): readonly string[] {
  const modules = join(ROOT, 'node_modules');
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.') && !name.startsWith('@'))
    .map((name) => join(modules, name));
}

function documentsIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'));
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
