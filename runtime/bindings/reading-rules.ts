import { latin1FromUtf8, type RunSpec } from '#functions';
import { keyMatcher } from './key-patterns.ts';

/**
 * Why a version that keeps to some keys may not read what a run of its handlers reads; null when it may. Of a scan not one key is
 * looked at: its pattern must be one of the version's own, or begin where one of them that ends in a star begins.
 * @param keys glob patterns; null = any key.
 */
export function refusedReading(keys: readonly string[] | null, run: RunSpec): string | null {
  if (keys === null || run.reader === 'GeneratorReader' || run.reader === 'ShardsIDReader') return null;
  const isScan = run.reader !== 'StreamReader' && !run.noScan;
  const allowed = isScan
    ? keys.some((pattern) => covers(pattern, run.arg))
    : keyMatcher(keys.map(latin1FromUtf8))(latin1FromUtf8(run.arg));
  if (allowed) return null;
  return `the run reads ${JSON.stringify(run.arg.slice(0, 100))}; this version keeps to ${keys.join(', ')} (configure)`;
}

const SPECIAL = /[*?[\\]/;

function covers(pattern: string, scanned: string): boolean {
  if (pattern === scanned) return true;
  const star = pattern.search(SPECIAL);
  if (star < 0 || star !== pattern.length - 1 || pattern[star] !== '*') return false;
  const special = scanned.search(SPECIAL);
  const begin = special < 0 ? scanned : scanned.slice(0, special);
  return begin.startsWith(pattern.slice(0, -1));
}
