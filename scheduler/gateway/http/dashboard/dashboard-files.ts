import { readdir, readFile } from 'node:fs/promises';
import { bundlePage } from './bundle-page.ts';

/** The files of the dashboard, by name. */
export interface DashboardFiles {
  readonly names: readonly string[];
  /** All of them, in memory. The first call makes them; one that failed is tried again at the next. */
  read(): Promise<ReadonlyMap<string, Uint8Array>>;
}

const NAMES = ['index.html', 'page.js', 'page.css', 'icon.svg', 'licences.txt'];

/** Beside the compiled code of the package; a checkout has none and bundles the page when somebody first looks at it. */
const BUILT = new URL('./built/', import.meta.url);

export function createDashboardFiles(): DashboardFiles {
  let reading: Promise<ReadonlyMap<string, Uint8Array>> | null = null;
  const read = async (): Promise<ReadonlyMap<string, Uint8Array>> => (await readBuilt()) ?? bundlePage();
  return {
    names: NAMES,
    read: () => {
      reading ??= read().catch((error: unknown) => {
        reading = null;
        throw error;
      });
      return reading;
    },
  };
}

async function readBuilt(): Promise<ReadonlyMap<string, Uint8Array> | null> {
  const names = await readdir(BUILT).catch(() => null);
  if (names === null) return null;
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(new URL(name, BUILT))] as const)));
}
