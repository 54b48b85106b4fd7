import type { Batch } from './batch.ts';
import { moveInto } from './numbers.ts';
import { mapSet, NativeUint32Array, repeat } from './primordials.ts';
import { stageNews } from './stage.ts';
import { bytesOfString } from './text.ts';

const HEAD = 10;
const NO_RESULTS = '*0\r\n';
const NONE = new NativeUint32Array(0);

/** What a batch has to tell, in the layout of `encodePackedProgress`. */
export interface News {
  readonly numbers: Uint32Array;
  readonly failed: Uint32Array;
  readonly text: string;
}

function takeNotes(batch: Batch, looseLogs: string): string {
  if (looseLogs !== '') batch.logsJson += batch.logsJson === '' ? looseLogs : `,${looseLogs}`;
  let text = '';
  if (batch.failedJson !== '') text += `"failed":[${batch.failedJson}]`;
  if (batch.logsJson !== '') text += `${text === '' ? '' : ','}"logs":[${batch.logsJson}]`;
  if (batch.stage !== null) text += `${text === '' ? '' : ','}"stage":${stageNews(batch, batch.stage)}`;
  if (batch.sessionsJson !== '') text += `${text === '' ? '' : ','}"sessions":[${batch.sessionsJson}]`;
  batch.failedJson = '';
  batch.logsJson = '';
  batch.sessionsJson = '';
  return text === '' ? '' : bytesOfString(`{${text}}`);
}

/** Commands become a round that waits for its replies. Returns its number, 0 without commands. */
function closeRound(batch: Batch): number {
  const first = batch.firstWaiter;
  if (first === null) return 0;
  const round = ++batch.round;
  mapSet(batch.rounds, round, { first, text: '', at: 0 });
  batch.firstWaiter = null;
  batch.lastWaiter = null;
  return round;
}

/** Takes the news of a batch; afterwards it has none. `looseLogs`: log lines of no event that go along. */
export function takeNews(batch: Batch, looseLogs: string): News {
  const round = closeRound(batch);
  const notes = takeNotes(batch, looseLogs);
  const filtered = batch.filtered.length;
  const filteredResults = batch.wantResults && batch.stage === null ? filtered : 0;
  const { owners, done, resultLengths } = batch;
  const lengths = resultLengths.length + filteredResults;
  const results = filteredResults === 0 ? batch.results : batch.results + repeat(NO_RESULTS, filteredResults);
  const numbers = new NativeUint32Array(HEAD + owners.length + done.length + filtered + lengths);
  numbers[0] = round;
  numbers[1] = batch.started;
  numbers[2] = batch.open - batch.blocked;
  numbers[3] = owners.length;
  numbers[4] = done.length;
  numbers[5] = filtered;
  numbers[6] = lengths;
  numbers[7] = batch.commands.length;
  numbers[8] = results.length;
  numbers[9] = notes.length;
  let at = moveInto(owners, numbers, HEAD);
  at = moveInto(done, numbers, at);
  at = moveInto(batch.filtered, numbers, at);
  at = moveInto(resultLengths, numbers, at);
  for (let i = 0; i < filteredResults; i++) numbers[at + i] = NO_RESULTS.length;
  const failed = batch.failed.length === 0 ? NONE : new NativeUint32Array(batch.failed.length);
  if (failed !== NONE) moveInto(batch.failed, failed, 0);
  const text = batch.commands + results + notes;
  batch.commands = '';
  batch.results = '';
  batch.started = 0;
  return { numbers, failed, text };
}
