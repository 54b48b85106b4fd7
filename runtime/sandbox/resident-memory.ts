import { execFile } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import process from 'node:process';

/** Reads how much memory a process really holds. */
export interface ResidentMemory extends Disposable {
  /** Bytes at the latest look; `look` refreshes it. 0 until known. */
  readonly bytes: number;
  /** Reads anew; cheap on Linux (one pread), a short-lived process elsewhere. */
  look(): void;
}

const STATM_BYTES = 128;

/** `/proc` where there is one, `ps` elsewhere. */
export function watchResidentMemory(pid: number): ResidentMemory {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): ResidentMemory {
  const pageBytes = measurePageBytes();
  const buffer = Buffer.alloc(STATM_BYTES);
  let file = tryOpen(`/proc/${pid}/statm`);
  let bytes = 0;
  const close = (): void => {
    if (file !== null) closeSync(file);
    file = null;
  };
  return {
    get bytes() {
      return bytes;
    },
    look() {
      if (file === null) return;
      try {
        const length = readSync(file, buffer, 0, STATM_BYTES, 0);
        const pages = Number(buffer.toString('latin1', 0, length).split(' ', 2)[1]);
        // A process that has just died holds none: how large it was is what the look before says.
        if (pages > 0) bytes = pages * pageBytes;
      } catch {
        // The process has gone; its exit is reported elsewhere.
        close();
      }
    },
    [Symbol.dispose]: close,
  };
}

function tryOpen(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch {
    // Gone before it was looked at.
    return null;
  }
}

/** The kernel counts in pages, 4 to 64 KiB large: this process knows its own size in bytes, so compare. */
function measurePageBytes(): number {
  const pages = Number(readFileSync('/proc/self/statm', 'latin1').split(' ', 2)[1]);
  const ratio = process.memoryUsage.rss() / pages;
  return 2 ** Math.round(Math.log2(ratio));
}

function fromPs(pid: number): ResidentMemory {
  let bytes = 0;
  let asking = false;
  return {
    get bytes() {
      return bytes;
    },
    look() {
      if (asking) return;
      asking = true;
      execFile('ps', ['-o', 'rss=', '-p', String(pid)], (error, stdout) => {
        asking = false;
        if (!error) bytes = Number(stdout.trim()) * 1024 || bytes;
      });
    },
    [Symbol.dispose]() {},
  };
}
