import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createBurialLog } from '../../../scheduler/consumer/burial-log.ts';
import type { DeadLetter } from '../../../scheduler/delivery.ts';

function letters(registrationId: string, count: number): DeadLetter[] {
  const letter: DeadLetter = {
    entryId: '1-1',
    stream: 'str\u00c3\u00b6m',
    registrationId,
    functionName: 'f',
    version: 2,
    attempts: 5,
    reason: 'attempts',
    errorCode: 'GUEST_ERROR',
    errorMessage: 'no luck',
    errorStack: 'at f.js:1:1',
    payload: '*0\r\n',
    diedAtMs: 0,
  };
  return Array.from({ length: count }, () => letter);
}

test('a flood of dead letters is one line of the log for each registration', () => {
  const lines: string[] = [];
  const tell = createBurialLog(pino({ base: null, timestamp: false }, { write: (line) => void lines.push(line) }));
  tell([]);
  for (let n = 0; n < 1_000; n += 1) tell(letters('f/stream/a', 3));
  tell(letters('f/stream/b', 1));
  expect(lines.map((line) => JSON.parse(line))).toEqual(
    ['f/stream/a', 'f/stream/b'].map((registration, n) => ({
      ...{ level: 40, function: 'f', version: 2, registration, stream: 'ström', entry: '1-1' },
      ...{ dead: n === 0 ? 3 : 1, code: 'GUEST_ERROR', error: 'no luck', msg: 'entries became dead letters' },
    })),
  );
});
