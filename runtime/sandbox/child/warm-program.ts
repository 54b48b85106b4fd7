import type { LoadRequest } from '../messages.ts';
import { createGuestIsolate } from './guest-isolate.ts';
import { GuestProgram } from './guest-program.ts';

const STREAM = 0;
const COMMAND = 1;
const FLAG = { stream: 1, wantResults: 4, ascii: 8 } as const;
/** What most functions do once they are called. */
const SOURCE = `new GearsBuilder('StreamReader').filter((r) => r.value.f !== '').foreach(async (r) => {
  await execute('PING', r.value.f);
}).register({ prefix: 'warm', mode: 'async_local', batch: 100 });
GB('CommandReader').map(([, text]) => execute('PING', text)).register({ trigger: 'warm' });`;
const REQUEST: LoadRequest = {
  ...{ handle: 0, functionName: 'warm', version: 0, code: SOURCE, fileName: 'warm.js', inspectOnly: true },
  ...{ memoryBytes: 64 * 1024 * 1024, callMs: 10_000, commandsPerEvent: 10, commandBytes: 1_000, outputBytes: 1_000 },
  settings: {},
};
const ENTRY = '*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n';
const CALL = '*1\r\n*2\r\n$4\r\nwarm\r\n$1\r\nv\r\n';
const REPLY = '+PONG\r\n';

/**
 * The guest runtime with its usual paths compiled: by running a function of ours, never a user's. Takes some ten milliseconds,
 * once for each process.
 */
export function warmProgram(bundle: string): GuestProgram {
  const program = new GuestProgram(bundle);
  const isolate = createGuestIsolate({ program, request: REQUEST, onCatastrophicError: () => {} });
  isolate.call('run', [1, STREAM, FLAG.stream, 100, 1, 'warm', '', ENTRY]);
  isolate.call('replies', [1, 1, REPLY]);
  isolate.call('run', [2, COMMAND, FLAG.wantResults, 1, 1, '', '', CALL]);
  isolate.call('replies', [2, 1, REPLY]);
  isolate.keepCompiled();
  isolate.dispose();
  return program;
}
