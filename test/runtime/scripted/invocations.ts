import { DEFAULT_LIMITS, encodeBulk, type Limits, type LoadableVersion } from '#functions';
import type { FailedEntry, Invocation } from '#runtime';

/** Every end that an invocation has reported so far. */
export interface Ends {
  readonly done: number[];
  readonly filtered: number[];
  readonly failed: FailedEntry[];
  readonly results: string[];
  /** Calls of onEnded. */
  reports: number;
}

export interface InvocationOptions {
  readonly code: string;
  readonly name?: string;
  readonly version?: number;
  readonly entries?: number;
  readonly limits?: Partial<Limits>;
  readonly fields?: Partial<Invocation>;
  readonly signal?: AbortSignal;
}

export function versionOf(options: InvocationOptions): LoadableVersion {
  const { code, name = 'f', version = 1, limits } = options;
  return {
    functionName: name,
    version,
    artifact: {
      sha256: Buffer.from(code).toString('hex').padEnd(64, '0'),
      language: 'js',
      source: code,
      code,
      sourceMap: null,
    },
    limits: { ...DEFAULT_LIMITS, ...limits },
    settings: {},
  };
}

/** RESP of so many stream entries with one field `user`. */
export function streamPayload(entries: number): string {
  let text = `*${entries}\r\n`;
  for (let at = 0; at < entries; at += 1) {
    text += `*2\r\n${encodeBulk(`1700000000000-${at}`)}*4\r\n${encodeBulk('user')}${encodeBulk(`u${at % 100}`)}`;
    text += `${encodeBulk('page')}${encodeBulk('/home')}`;
  }
  return text;
}

/** An invocation and what has come of it. */
export function invocationOf(options: InvocationOptions): { readonly invocation: Invocation; readonly ends: Ends } {
  const { entries = 1 } = options;
  const ends: Ends = { done: [], filtered: [], failed: [], results: [], reports: 0 };
  const invocation: Invocation = {
    target: versionOf(options),
    registrationIndex: 0,
    registrationId: 'f/stream/s',
    shape: 'stream',
    payload: streamPayload(entries),
    entryCount: entries,
    key: 's',
    hashtag: 's',
    executionSize: 1,
    ordered: false,
    wantResults: false,
    onEnded(ended) {
      ends.reports += 1;
      ends.done.push(...Array.from(ended.done));
      ends.filtered.push(...Array.from(ended.filtered));
      ends.failed.push(...ended.failed);
      ends.results.push(...(ended.results ?? []));
    },
    signal: options.signal ?? new AbortController().signal,
    ...options.fields,
  };
  return { invocation, ends };
}
