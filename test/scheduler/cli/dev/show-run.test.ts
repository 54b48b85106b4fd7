import { expect, test } from 'vitest';
import { titleOf } from '../../../../scheduler/cli/dev/show-run.ts';

const error = { code: 'GUEST_ERROR', name: 'TypeError', message: 'no good', stack: '' };

test.each([
  ['an error that the function has thrown by its name', error, 'TypeError: no good'],
  ['another by its code', { ...error, code: 'LIMIT_WAITS' }, 'LIMIT_WAITS: no good'],
  [
    'a reply of Redis by its code once',
    { ...error, code: 'COMMAND_FORBIDDEN', message: 'COMMAND_FORBIDDEN FLUSHALL may not be sent' },
    'COMMAND_FORBIDDEN FLUSHALL may not be sent',
  ],
])('names %s', (_, shown, title) => {
  expect(titleOf(shown)).toBe(title);
});
