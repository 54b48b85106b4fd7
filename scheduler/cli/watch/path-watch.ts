import { type FSWatcher, type Stats, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Files that are followed however they are written: in place, by a rename over them, deleted and made again. */
export interface PathWatch extends Disposable {
  /**
   * From now on these paths (absolute; they need not exist) are followed, and no others. One that is new here and has changed
   * since `sinceMs` counts as changed: whoever read it then has read something else.
   */
  follow(paths: readonly string[], sinceMs: number): void;
}

export interface PathWatchOptions {
  /**
   * Called when paths have changed and are quiet again: several saves at once are one call.
   * @param savedAtMs the last of the changes, ms since the epoch.
   */
  readonly onChange: (savedAtMs: number) => void;
}

/** After a sign of a change. Editors write, sync and rename in one go. */
const SETTLE_MS = 15;
/** A file that is gone or empty is most likely about to be written. */
const PATIENCE_MS = 250;
/** What no event tells of (network disks, folders that were replaced, watches the system has no room for) is found by looking. */
const SWEEP_MS = 500;
/** An inode may be touched long before its name comes to be watched, as by `mv`. */
const OLDEST_SAVE_MS = 2_000;
/** Times of files come from a coarser clock, which is behind. */
const CLOCK_MS = 10;

export function createPathWatch(options: PathWatchOptions): PathWatch {
  return new Watching(options.onChange);
}

interface Folder {
  readonly inode: number;
  readonly watcher: FSWatcher;
}

interface Pending {
  readonly prints: ReadonlyMap<string, Print>;
  readonly firstSeenMs: number;
}

class Watching implements PathWatch {
  readonly #onChange: (savedAtMs: number) => void;
  readonly #folders = new Map<string, Folder>();
  readonly #sweep: NodeJS.Timeout;
  #known: ReadonlyMap<string, Print> = new Map();
  #pending: Pending | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(onChange: (savedAtMs: number) => void) {
    this.#onChange = onChange;
    this.#sweep = setInterval(() => this.#look(), SWEEP_MS);
  }

  follow(paths: readonly string[], sinceMs: number): void {
    if (this.#closed) return;
    const now = printsOf(paths);
    const known = [...now].map(([path, print]) => {
      const before = this.#known.get(path);
      if (before !== undefined) return [path, before] as const;
      return [path, print.changedMs > sinceMs - CLOCK_MS ? UNKNOWN : print] as const;
    });
    this.#known = new Map(known);
    this.#watchFolders();
    this.#lookSoon();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    clearInterval(this.#sweep);
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #lookSoon(): void {
    if (this.#closed || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#look();
    }, SETTLE_MS);
  }

  #look(): void {
    if (this.#closed) return;
    this.#watchFolders();
    const prints = printsOf([...this.#known.keys()]);
    if (isSame(prints, this.#known)) {
      this.#pending = null;
      return;
    }
    const { firstSeenMs = Date.now(), prints: before } = this.#pending ?? {};
    const isQuiet = before !== undefined && isSame(prints, before);
    if (isQuiet && (!this.#isUnfinished(prints) || Date.now() - firstSeenMs > PATIENCE_MS)) {
      const savedAtMs = savedAt(changed(this.#known, prints), firstSeenMs);
      this.#known = prints;
      this.#pending = null;
      this.#onChange(savedAtMs);
      return;
    }
    this.#pending = { prints, firstSeenMs };
    this.#lookSoon();
  }

  /** Something that had content has none. */
  #isUnfinished(prints: ReadonlyMap<string, Print>): boolean {
    return [...this.#known].some(([path, { size }]) => size > 0 && (prints.get(path)?.size ?? 0) <= 0);
  }

  /** One watch for each folder: it tells of files that come back under their name, as a watch of the file itself would not. */
  #watchFolders(): void {
    const wanted = new Map([...this.#known.keys()].map((path) => nearestFolder(path)));
    for (const [path, { inode, watcher }] of this.#folders) {
      if (wanted.get(path) === inode) continue;
      watcher.close();
      this.#folders.delete(path);
    }
    for (const [path, inode] of wanted) {
      if (this.#folders.has(path)) continue;
      const watcher = this.#watch(path);
      if (watcher === null) continue;
      this.#folders.set(path, { inode, watcher });
      // What happened before the watch stood is not told.
      this.#lookSoon();
    }
  }

  #watch(path: string): FSWatcher | null {
    try {
      const watcher = watch(path, { persistent: true }, () => this.#lookSoon());
      watcher.on('error', () => {
        watcher.close();
        if (this.#folders.get(path)?.watcher === watcher) this.#folders.delete(path);
      });
      return watcher;
    } catch {
      return null; // the sweep finds what happens there
    }
  }
}

/** What is compared of a file. */
interface Print {
  readonly inode: number;
  readonly size: number;
  readonly modifiedMs: number;
  /** When anything about it last changed; not compared. */
  readonly changedMs: number;
}

const ABSENT: Print = { inode: 0, size: -1, modifiedMs: 0, changedMs: 0 };
/** Is as nothing that can be found. */
const UNKNOWN: Print = { ...ABSENT, inode: -1 };

function printsOf(paths: readonly string[]): ReadonlyMap<string, Print> {
  return new Map(paths.map((path) => [path, printOf(statOf(path))]));
}

function printOf(stats: Stats | undefined): Print {
  if (stats === undefined) return ABSENT;
  const size = stats.isDirectory() ? 0 : stats.size;
  return { inode: stats.ino, size, modifiedMs: stats.mtimeMs, changedMs: stats.ctimeMs };
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // a part of the path is no folder, or is closed to us
  }
}

function isSame(prints: ReadonlyMap<string, Print>, others: ReadonlyMap<string, Print>): boolean {
  return changed(others, prints).length === 0;
}

function changed(before: ReadonlyMap<string, Print>, now: ReadonlyMap<string, Print>): readonly Print[] {
  return [...now]
    .filter(([path, print]) => {
      const { inode, size, modifiedMs } = before.get(path) ?? ABSENT;
      return print.inode !== inode || print.size !== size || print.modifiedMs !== modifiedMs;
    })
    .map(([, print]) => print);
}

function savedAt(prints: readonly Print[], firstSeenMs: number): number {
  const changedMs = Math.max(...prints.map((print) => print.changedMs));
  return changedMs > firstSeenMs - OLDEST_SAVE_MS && changedMs <= Date.now() ? changedMs : firstSeenMs;
}

/** The path itself if it is a folder, else the nearest folder above that exists; with its inode. */
function nearestFolder(path: string): readonly [path: string, inode: number] {
  for (let at = path; ; at = dirname(at)) {
    const stats = statOf(at);
    if (stats?.isDirectory()) return [at, stats.ino];
    if (at === dirname(at)) return [at, 0];
  }
}
