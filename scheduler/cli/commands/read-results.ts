import { setTimeout as sleep } from 'node:timers/promises';
import { type DoorClient, listOf, type Reply } from '../client.ts';
import { type Output, printable } from '../render.ts';
import { readProgress } from './execution-progress.ts';
import type { ReadProgress } from './read-progress.ts';

export interface ReadRequest {
  readonly client: DoorClient;
  readonly id: string;
  readonly output: Output;
  readonly progress: ReadProgress;
  /** Nothing is printed before the run has ended; needed for runs that were not started to be followed. */
  readonly atEnd: boolean;
  /** Ends the execution; what it has given until then is printed. */
  readonly abort: AbortSignal;
}

const POLL_MS = 200;

/** Prints results page by page, so that many of them need little memory, until the run has ended; resolves with its errors. */
export async function readResults(request: ReadRequest): Promise<readonly string[]> {
  const { client, id, atEnd, abort } = request;
  const isOver = watchProgress(request);
  let cursor = '0';
  let isAborted = false;
  for (;;) {
    const ended = await isOver();
    if (abort.aborted && !isAborted) {
      isAborted = true;
      await client.call('RG.ABORTEXECUTION', id);
    }
    const page = ended || !atEnd ? await nextPage(client, id, cursor) : NOTHING_YET;
    print(request, page.results);
    if (page.cursor === '0') {
      await isOver(true);
      return page.errors;
    }
    cursor = page.cursor ?? cursor;
    if (page.results.length === 0) await pause(isAborted ? undefined : abort);
  }
}

/** Shows the progress where the last look is a while ago; tells whether the run has ended. */
function watchProgress({ client, id, progress }: ReadRequest): (isLast?: boolean) => Promise<boolean> {
  let isOver = false;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  return async (isLast = false) => {
    if (!isLast && (isOver || performance.now() - lookedAtMs < POLL_MS)) return isOver;
    const now = await readProgress(client, id);
    progress.update(now);
    isOver = now.isOver;
    lookedAtMs = performance.now();
    return isOver;
  };
}

interface Page {
  /** Null: it was not asked for. */
  readonly cursor: string | null;
  readonly results: readonly Reply[];
  readonly errors: readonly string[];
}

const NOTHING_YET: Page = { cursor: null, results: [], errors: [] };

async function nextPage(client: DoorClient, id: string, cursor: string): Promise<Page> {
  const [next, results, errors] = listOf(await client.call('RG.GETRESULTS', id, 'CURSOR', cursor));
  return { cursor: String(next), results: listOf(results), errors: listOf(errors).map(String) };
}

function print({ output, progress }: ReadRequest, results: readonly Reply[]): void {
  if (results.length === 0) return;
  progress.above(() => {
    for (const result of results) output.record(result, () => output.line(resultLine(result)));
  });
}

/** A moment, or less when the execution is to be aborted. */
async function pause(abort?: AbortSignal): Promise<void> {
  await sleep(POLL_MS, undefined, abort === undefined ? {} : { signal: abort }).catch(() => undefined);
}

function resultLine(result: Reply): string {
  return typeof result === 'string' ? printable(result) : JSON.stringify(result);
}
