import { utf8FromLatin1 } from '#functions';
import type { DeadLetter } from '../delivery.ts';
import type { ConsumerLog } from './contracts.ts';

const EVERY_MS = 10_000;

/**
 * Tells the operator of dead letters: the first of a registration at once, after that one line in ten seconds at most, with
 * the number since the line before. All of them are in the counters and with the dead letters themselves.
 */
export function createBurialLog(log: ConsumerLog): (letters: readonly DeadLetter[]) => void {
  const told = new Map<string, { atMs: number; untold: number }>();
  return (letters) => {
    const [first] = letters;
    if (first === undefined) return;
    const { registrationId: registration, functionName, version, stream, entryId, errorCode, errorMessage } = first;
    const nowMs = performance.now();
    const known = told.get(registration);
    if (known !== undefined && nowMs - known.atMs < EVERY_MS) {
      known.untold += letters.length;
      return;
    }
    told.set(registration, { atMs: nowMs, untold: 0 });
    const facts = { function: functionName, version, registration, stream: utf8FromLatin1(stream), entry: entryId };
    const dead = (known?.untold ?? 0) + letters.length;
    log.warn({ ...facts, dead, code: errorCode, error: errorMessage }, 'entries became dead letters');
  };
}
