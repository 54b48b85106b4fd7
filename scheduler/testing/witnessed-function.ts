import { type LoadableVersion, type Manifest, PlatformError } from '#functions';
import { createErrorTransfer, type GuestLog, type Runtime, readCallSite, scriptName } from '#runtime';
import { chooseRegistration } from './delivery/choose-registration.ts';
import type { Delivery, RecordOutcome, SentCommand } from './delivery/delivery.ts';
import { runBatch } from './delivery/run-batch.ts';
import { runEvent, type Stand } from './delivery/run-event.ts';
import { positionOf, type ShowSource } from './delivery/source-lines.ts';
import { createWitness, type Witness } from './delivery/witness.ts';
import type { TestEvent } from './events.ts';
import type { TestRedis } from './redis/test-redis.ts';
import { writeRecording } from './replies/recording.ts';
import { killSandbox } from './sandbox-kill.ts';
import type { Sources } from './sources.ts';
import type { DeliverOptions, TestFunction } from './test-function.ts';
import type { World } from './world.ts';

type Line = Pick<GuestLog, 'level' | 'message'>;

/** A witness and the log of the function it watches. */
export interface Witnessed {
  readonly witness: Witness;
  /** Lines since the last time. */
  takeLines(): readonly Line[];
  kill(): Promise<void>;
  /** The runtime is there: from now on it is listened to. */
  attach(runtime: Runtime): void;
}

/** Before there is a runtime, because it is made with the witness. */
export function witnessOf(version: LoadableVersion, sources: Sources): Witnessed {
  let runtime: Runtime | null = null;
  let lines: Line[] = [];
  const fileName = scriptName({ ...version, version: 1 });
  const sourceName = `${version.functionName}.${version.artifact.language}`;
  const transfer = createErrorTransfer({ artifact: version.artifact, fileName, sourceName });
  const kill = async (): Promise<void> => {
    if (runtime !== null) await killSandbox(runtime, version.functionName);
  };
  const witness = createWitness({
    sources: () => sources.next(),
    kill,
    siteOf: (frame) => positionOf(transfer({ code: '', name: '', message: '', stack: frame }).stack),
  });
  return {
    witness,
    kill,
    takeLines() {
      const taken = lines;
      lines = [];
      return taken;
    },
    attach(started) {
      runtime = started;
      started.onLog(({ level, message }) => {
        const site = readCallSite(message);
        if (site === null) lines.push({ level, message });
        else witness.noteSite(site.entry, site.command, site.frame);
      });
    },
  };
}

export interface TestFunctionParts {
  readonly target: LoadableVersion;
  readonly manifest: Manifest;
  readonly redis: TestRedis | null;
  readonly world: World;
  readonly sources: Sources;
  readonly runtime: Runtime;
  readonly witnessed: Witnessed;
  readonly showSource: ShowSource;
  /** Path of a recording; null = none is wanted. */
  readonly record: string | null;
}

/** @param opened what ends with the function. */
export function createTestFunction(parts: TestFunctionParts, opened: AsyncDisposableStack): TestFunction {
  return new WitnessedFunction(parts, opened);
}

class WitnessedFunction implements TestFunction {
  readonly #parts: TestFunctionParts;
  readonly #opened: AsyncDisposableStack;
  readonly #stop = new AbortController();
  readonly #recorded: SentCommand[] = [];
  /** Deliveries are made one after the other. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(parts: TestFunctionParts, opened: AsyncDisposableStack) {
    this.#parts = parts;
    this.#opened = opened;
  }

  get name(): string {
    return this.#parts.target.functionName;
  }

  get manifest(): Manifest {
    return this.#parts.manifest;
  }

  get redis(): TestRedis | null {
    return this.#parts.redis;
  }

  get clock(): TestFunction['clock'] {
    return this.#parts.sources.clock;
  }

  get random(): TestFunction['random'] {
    return this.#parts.sources.random;
  }

  deliver(event: TestEvent, options: DeliverOptions = {}): Promise<Delivery> {
    const delivered = this.#tail.then(() => this.#deliver(event, options));
    this.#tail = delivered.catch(() => undefined);
    return delivered;
  }

  kill(): Promise<void> {
    return this.#parts.witnessed.kill();
  }

  reload(): void {
    this.#parts.runtime.retain([]);
    this.#parts.sources.rewind();
  }

  showSource(text: string): string {
    return this.#parts.showSource(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new PlatformError('RUNTIME_CLOSED', `${this.name} was disposed of`));
    await this.#tail;
    await this.#opened.disposeAsync();
    const { record } = this.#parts;
    if (record !== null) await writeRecording(record, this.#recorded.splice(0));
  }

  async #deliver(event: TestEvent, { crash, registration }: DeliverOptions): Promise<Delivery> {
    const { manifest, world, witnessed } = this.#parts;
    const { witness } = witnessed;
    witness.begin(crash ?? null);
    witnessed.takeLines();
    const outcome =
      event.kind === 'run'
        ? { records: [], ...(await this.#run(event.records)) }
        : outcomeOf(
            await runEvent(
              this.#stand(),
              chooseRegistration(event, {
                functionName: this.name,
                registrations: manifest.registrations,
                id: registration,
              }),
              event,
            ),
          );
    if (this.#parts.record !== null) this.#recorded.push(...witness.commands);
    world.assertComplete();
    return { ...outcome, logs: witnessed.takeLines(), commands: witness.commands, crashed: witness.crashed };
  }

  async #run(records: Extract<TestEvent, { kind: 'run' }>['records']): ReturnType<typeof runBatch> {
    const [run] = this.#parts.manifest.runs;
    if (run !== undefined) return await runBatch(this.#stand(), run, records);
    throw new PlatformError('ARGUMENT_INVALID', `${this.name} does not call run(…)`);
  }

  #stand(): Stand {
    const { runtime, world, witnessed, target, sources } = this.#parts;
    const nowMs = (): number => sources.clock.now ?? Date.now();
    return { runtime, world, witness: witnessed.witness, target, signal: this.#stop.signal, nowMs };
  }
}

function outcomeOf(records: readonly RecordOutcome[]): Pick<Delivery, 'records' | 'results' | 'errors'> {
  return {
    records,
    results: records.flatMap(({ results }) => results),
    errors: records.flatMap(({ error }) => error ?? []),
  };
}
