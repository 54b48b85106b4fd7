import { isAscii } from 'node:buffer';
import type { GuestApi, RunFlags, ToldNews } from '../../guest/api.ts';
import {
  decodeCancel,
  decodeLoad,
  decodeRun,
  encodeDone,
  encodeLoaded,
  encodeLoadFailed,
  encodePackedProgress,
  encodeProgress,
  type Frame,
} from '../frames.ts';
import {
  type GuestErrorReport,
  type LoadedReport,
  type LoadRequest,
  type SourcesSpec,
  StageShape,
} from '../messages.ts';
import { decodeNumber, decodeNumberAndText } from '../number-frames.ts';
import { decodeOpenStage } from '../stage-frames.ts';
import { encodeUsage } from '../usage-frames.ts';
import { decodeVariables } from '../variable-frames.ts';
import { emptyProgress, failOpen, markEnded, type TrackedBatch, trackBatch } from './batches.ts';
import { callFailure, ISOLATE_LOST, loadFailure } from './guest-failure.ts';
import { createGuestIsolate, type GuestIsolate, NOTHING_USED } from './guest-isolate.ts';
import type { GuestProgram } from './guest-program.ts';
import { spellOut } from './spell-out.ts';

const FLAG: RunFlags = { stream: 1, ordered: 2, wantResults: 4, ascii: 8, stopAtFailure: 16, keys: 64, hook: 128 };
/** By `RunHeader.shape`. */
const SHAPE_FLAGS: readonly number[] = [FLAG.stream, 0, FLAG.keys, FLAG.hook];

/** A version in this process: its isolate comes and goes, what it was loaded from stays. */
interface Loaded {
  request: LoadRequest;
  /** JSON; '' = none were given. */
  variables: string;
  isolate: GuestIsolate | null;
  batches: number;
  entries: number;
}

export interface IsolatesOptions {
  readonly program: () => GuestProgram;
  /** Returns when the frame has left: so signs of life reach the node, and one that does not read is not written to without end. */
  readonly send: (frame: Buffer) => void;
  readonly onCatastrophicError: (message: string) => void;
}

/** Where the last news of a batch stand. */
function lastNewsOf(news: ToldNews, id: number): number {
  for (let i = news.length - 4; i > 0; i -= 4) if (news[i] === id) return i;
  return 0;
}

type CallName = 'run' | 'feed' | 'replies' | 'session' | 'cancel';

/** The isolates of this process and the batches in them: every method handles one frame and sends its one answer. */
export class Isolates {
  readonly #options: IsolatesOptions;
  readonly #loaded = new Map<number, Loaded>();
  readonly #batches = new Map<number, TrackedBatch>();
  /** The isolate each stage lives in: with another one, what it has gathered is lost. */
  readonly #stages = new Map<number, GuestIsolate>();

  constructor(options: IsolatesOptions) {
    this.#options = options;
  }

  load(frame: Frame): void {
    const request = decodeLoad(frame);
    const loaded: Loaded = { request, variables: '', isolate: null, batches: 0, entries: 0 };
    try {
      const isolate = this.#isolateOf(loaded);
      const report = JSON.parse(isolate.reportJson) as LoadedReport;
      if (request.inspectOnly) isolate.dispose();
      else this.#loaded.set(request.handle, loaded);
      this.#options.send(encodeLoaded(frame.batch, report));
    } catch (error) {
      this.#options.send(encodeLoadFailed(frame.batch, loadFailure(error, request)));
    }
  }

  unload(frame: Frame): void {
    const handle = decodeNumber(frame);
    this.#loaded.get(handle)?.isolate?.dispose();
    this.#loaded.delete(handle);
    for (const batch of this.#batches.values()) if (batch.handle === handle) this.#batches.delete(batch.id);
    this.#options.send(encodeDone(frame.batch));
  }

  usage(frame: Frame): void {
    const usages = [...this.#loaded].map(([handle, { isolate, batches, entries }]) => ({
      ...(isolate?.usage() ?? NOTHING_USED),
      ...{ handle, batches, entries },
    }));
    this.#options.send(encodeUsage(frame.batch, usages));
  }

  run(frame: Frame): void {
    const { header, key, hashtag, payload } = decodeRun(frame);
    const batch = trackBatch(frame.batch, header.handle, header.entryCount);
    const loaded = this.#loaded.get(header.handle);
    const isStage = header.shape >= StageShape.feed;
    if (loaded === undefined || (isStage && this.#stages.get(header.registrationIndex) !== loaded.isolate)) {
      this.#answerFailed(batch, ISOLATE_LOST);
      return;
    }
    try {
      this.#isolateOf(loaded);
    } catch (error) {
      this.#answerFailed(batch, loadFailure(error, loaded.request));
      return;
    }
    this.#batches.set(batch.id, batch);
    loaded.batches++;
    loaded.entries += header.entryCount;
    const shape = SHAPE_FLAGS[header.shape] ?? 0;
    const inOrder = header.ordered === 0 ? 0 : FLAG.ordered;
    const ordered = header.ordered === 2 ? inOrder + FLAG.stopAtFailure : inOrder;
    const flags = shape + ordered + (header.wantResults === 0 ? 0 : FLAG.wantResults);
    const { registrationIndex, executionSize, entryCount } = header;
    if (isStage) {
      const source = header.shape - StageShape.feed;
      const ascii = isAscii(payload) ? FLAG.ascii : 0;
      const text = payload.toString('latin1');
      this.#call(batch, 'feed', [batch.id, registrationIndex, ascii, source, entryCount, key, hashtag, text]);
      return;
    }
    const text = spellOut(payload, 0);
    this.#call(batch, 'run', [batch.id, registrationIndex, flags, executionSize, entryCount, key, hashtag, text]);
  }

  openStage(frame: Frame): void {
    const opening = decodeOpenStage(frame);
    const loaded = this.#loaded.get(opening.handle);
    if (loaded === undefined) {
      this.#options.send(encodeLoadFailed(frame.batch, ISOLATE_LOST));
      return;
    }
    try {
      const isolate = this.#isolateOf(loaded);
      const error = isolate.openStage(JSON.stringify(opening));
      if (error === '') this.#stages.set(opening.stage, isolate);
      const failed = error === '' ? null : (JSON.parse(error) as GuestErrorReport);
      this.#options.send(failed === null ? encodeDone(frame.batch) : encodeLoadFailed(frame.batch, failed));
    } catch (error) {
      this.#options.send(encodeLoadFailed(frame.batch, loadFailure(error, loaded.request)));
    }
  }

  closeStage(frame: Frame): void {
    const stage = decodeNumber(frame);
    this.#stages.get(stage)?.closeStage(stage);
    this.#stages.delete(stage);
    this.#options.send(encodeDone(frame.batch));
  }

  steer(frame: Frame): void {
    const { number: handle, text } = decodeNumberAndText(frame);
    const loaded = this.#loaded.get(handle);
    // Also for the isolate that takes the place of this one.
    if (loaded) loaded.request = { ...loaded.request, sources: JSON.parse(text) as SourcesSpec };
    loaded?.isolate?.steer(text);
    this.#options.send(encodeDone(frame.batch));
  }

  /** Kept for the isolate that takes the place of a lost one. */
  supply(frame: Frame): void {
    const { handle, env, secrets } = decodeVariables(frame);
    const loaded = this.#loaded.get(handle);
    if (loaded) {
      loaded.variables = JSON.stringify({ env, secrets });
      loaded.isolate?.supply(loaded.variables);
    }
    this.#options.send(encodeDone(frame.batch));
  }

  replies(frame: Frame): void {
    const batch = this.#batches.get(frame.batch);
    if (batch !== undefined) batch.rounds--;
    this.#numbered(frame, 'replies');
  }

  session(frame: Frame): void {
    this.#numbered(frame, 'session');
  }

  cancel(frame: Frame): void {
    const positions = decodeCancel(frame);
    const batch = this.#batches.get(frame.batch);
    if (batch === undefined) {
      this.#options.send(encodeProgress(emptyProgress(frame.batch, true)));
      return;
    }
    markEnded(batch, positions);
    // What the node gives up it may not send replies for.
    if (batch.open === 0) batch.rounds = 0;
    this.#call(batch, 'cancel', [batch.id, positions.length === 0 ? '' : `${positions.join(',')},`]);
  }

  #numbered(frame: Frame, name: 'replies' | 'session'): void {
    const batch = this.#batches.get(frame.batch);
    if (batch === undefined) {
      this.#options.send(encodeProgress(emptyProgress(frame.batch, true)));
      return;
    }
    this.#call(batch, name, [batch.id, decodeNumber(frame), spellOut(frame.body, 4)]);
  }

  #isolateOf(loaded: Loaded): GuestIsolate {
    if (loaded.isolate !== null) return loaded.isolate;
    const { program, onCatastrophicError } = this.#options;
    loaded.isolate = createGuestIsolate({ program: program(), request: loaded.request, onCatastrophicError });
    if (loaded.variables !== '') loaded.isolate.supply(loaded.variables);
    return loaded.isolate;
  }

  #answerFailed(batch: TrackedBatch, error: GuestErrorReport): void {
    this.#options.send(encodeProgress({ ...failOpen(batch, () => error), answer: true }));
  }

  #forgetIfOver(batch: TrackedBatch): void {
    if (batch.open === 0 && batch.rounds <= 0) this.#batches.delete(batch.id);
  }

  /** Calls the guest until it has nothing more to do now; what it tells is sent as it comes. */
  #call<Name extends CallName>(batch: TrackedBatch, name: Name, args: Parameters<GuestApi[Name]>): void {
    const loaded = this.#loaded.get(batch.handle);
    const isolate = loaded?.isolate ?? null;
    if (loaded === undefined || isolate === null) {
      this.#answerFailed(batch, ISOLATE_LOST);
      return;
    }
    try {
      let news = isolate.call(name, args);
      while (news[0] === 1) {
        this.#tell(news, null);
        news = isolate.call('go', []);
      }
      this.#tell(news, batch.id);
    } catch (error) {
      this.#lose(loaded, batch, callFailure(error, loaded.request));
    }
  }

  /** Sends news; those of the batch `answering` last, as the answer. */
  #tell(news: ToldNews, answering: number | null): void {
    let answer: Buffer | null = null;
    for (let i = 1; i < news.length; i += 4) {
      const id = news[i] as number;
      const numbers = news[i + 1] as Uint32Array;
      this.#mark(id, numbers, news[i + 2] as Uint32Array);
      // A batch may have news twice; only the last are the answer.
      const isAnswer = id === answering && lastNewsOf(news, id) === i;
      const frame = encodePackedProgress({ batch: id, answer: isAnswer, numbers, text: news[i + 3] as string });
      if (isAnswer) answer = frame;
      else this.#options.send(frame);
    }
    if (answering !== null) this.#options.send(answer ?? encodeProgress(emptyProgress(answering, true)));
  }

  #mark(id: number, numbers: Uint32Array, failed: Uint32Array): void {
    const batch = this.#batches.get(id);
    if (batch === undefined) return;
    const doneFrom = 10 + (numbers[3] ?? 0);
    const filteredFrom = doneFrom + (numbers[4] ?? 0);
    markEnded(batch, numbers.subarray(doneFrom, filteredFrom + (numbers[5] ?? 0)));
    markEnded(batch, failed);
    if (numbers[0] !== 0) batch.rounds++;
    this.#forgetIfOver(batch);
  }

  /**
   * An isolate that did not come back from a call: the entry whose turn it was is to blame, everybody else only lost their
   * isolate. Where nobody is known, the batch that was called for is. The next batch makes a new isolate.
   */
  #lose(loaded: Loaded, called: TrackedBatch, report: GuestErrorReport): void {
    const blame = loaded.isolate?.blame() ?? null;
    loaded.isolate?.dispose();
    loaded.isolate = null;
    for (const batch of this.#batches.values()) {
      if (batch.handle !== called.handle || batch === called) continue;
      this.#batches.delete(batch.id);
      const guilty = blame !== null && blame.batch === batch.id ? blame.entry : -1;
      this.#options.send(encodeProgress(failOpen(batch, (index) => (index === guilty ? report : ISOLATE_LOST))));
    }
    this.#batches.delete(called.id);
    const isGuilty = (index: number): boolean => blame === null || (blame.batch === called.id && blame.entry === index);
    const progress = failOpen(called, (index) => (isGuilty(index) ? report : ISOLATE_LOST));
    this.#options.send(encodeProgress({ ...progress, answer: true }));
  }
}
