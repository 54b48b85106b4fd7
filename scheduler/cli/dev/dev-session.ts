import { parseRedisUrl } from '#functions';
import { connectDoor, type DoorClient } from '../client.ts';
import type { RunningNode } from '../node-process.ts';
import type { Output } from '../render.ts';
import { type FunctionWatch, type WatchEvent, watchFunction } from '../watch/function-watch.ts';
import { createWatchReport } from '../watch/watch-report.ts';
import { hintFor } from './hints.ts';
import { hasKeys, type KeyAction, listenToKeys } from './keys.ts';
import { openBrowser } from './open-browser.ts';
import { openSampleFolder, type SampleFile, type SampleFolder } from './sample-folder.ts';
import { createSampleReport } from './sample-report.ts';
import { createSampleRunner, type SampleRunner } from './sample-runner.ts';
import type { VersionSources } from './version-sources.ts';

/** Files, and the node that they are developed on. */
export interface DevSession {
  readonly node: RunningNode;
  readonly output: Output;
  /** Filled with every version that is deployed. */
  readonly sources: VersionSources;
  /** One function each. */
  readonly files: readonly string[];
  /** Only for one file. */
  readonly name: string | undefined;
  readonly functions: ReadonlySet<string>;
  readonly sampleFolder: string;
  /** Samples that are in no folder. */
  readonly samples: readonly SampleFile[];
  /** Address of the node's Redis, where it has credentials that the door asks for; null = the node's own. */
  readonly redisUrl: string | null;
  readonly dashboard: string;
}

/**
 * Deploys the files and follows them: sends samples after each deployment, obeys keys. Resolves when the node begins to stop, with
 * nothing of it under way. Errors: ARGUMENT_INVALID for a file that is no script.
 */
export async function runSession(session: DevSession): Promise<void> {
  await using parts = new AsyncDisposableStack();
  const work = new SessionWork(session, parts);
  await work.start();
  await untilAborted(session.node.stopping);
}

class SessionWork {
  readonly #session: DevSession;
  readonly #parts: AsyncDisposableStack;
  readonly #tell: (event: WatchEvent) => void;
  readonly #runner: SampleRunner;
  readonly #folder: SampleFolder;
  readonly #hinted = new Set<string>();
  #watches: readonly FunctionWatch[] = [];
  #started = false;

  constructor(session: DevSession, parts: AsyncDisposableStack) {
    const { node, output, sources, functions, sampleFolder } = session;
    this.#session = session;
    this.#parts = parts;
    this.#tell = createWatchReport(output);
    const report = createSampleReport(output, sources);
    this.#runner = parts.use(createSampleRunner({ node, connect: () => this.#connect(), functions, report }));
    this.#folder = parts.use(openSampleFolder(sampleFolder, (files) => this.#runner.send(files, null)));
  }

  async start(): Promise<void> {
    const { files, name, output } = this.#session;
    const connect = (): Promise<DoorClient> => this.#connect();
    const report = (event: WatchEvent): void => this.#onEvent(event);
    this.#watches = files.map((file) =>
      this.#parts.use(watchFunction({ file, name, activate: true, connect, report })),
    );
    await Promise.all(this.#watches.map(({ started }) => started));
    this.#started = true;
    const keys = this.#keys();
    const end = (): void => this.#session.node.stop();
    this.#parts.use(listenToKeys(keys, end));
    const shown = keys.map(({ key, label }) => `${output.style('name', key)} ${label}`).join('   ');
    output.line(hasKeys() ? `\n${shown}` : '\nSaving deploys again. Ctrl-C ends it.');
    this.#runner.send(this.#samples(), null);
  }

  #keys(): readonly KeyAction[] {
    const { output, dashboard, node } = this.#session;
    return [
      { key: 'r', label: 'deploy again', run: () => this.#redeploy() },
      { key: 's', label: 'send samples', run: () => this.#sendSamples() },
      { key: 'o', label: 'open the dashboard', run: () => void showDashboard(output, dashboard) },
      { key: 'c', label: 'clear', run: () => void process.stdout.write('\u001b[2J\u001b[3J\u001b[H') },
      { key: 'q', label: 'quit', run: () => node.stop() },
    ];
  }

  #redeploy(): void {
    for (const watch of this.#watches) watch.redeploy();
  }

  #sendSamples(): void {
    const files = this.#samples();
    const { output, sampleFolder } = this.#session;
    if (files.length === 0) output.line(`There are no samples; put files such as click.json into ${sampleFolder}.`);
    this.#runner.send(files, null);
  }

  #samples(): readonly SampleFile[] {
    return [...this.#session.samples, ...this.#folder.files()];
  }

  #onEvent(event: WatchEvent): void {
    this.#tell(event);
    if (event.kind !== 'deployed') return;
    const { name, deployed, bundled, file } = event;
    this.#session.sources.set(name, deployed.version, { file, bundled });
    this.#hint(name);
    // Those of the first time are sent when all functions are there.
    if (this.#started) this.#runner.send(this.#samples(), name);
  }

  /** Once for each function: how to start it by hand. */
  #hint(name: string): void {
    const { node, output } = this.#session;
    if (this.#hinted.has(name)) return;
    this.#hinted.add(name);
    const port = node.respAddress.slice(node.respAddress.lastIndexOf(':') + 1);
    for (const registration of node.registrations()) {
      const words = registration.functionName === name ? hintFor(registration) : null;
      if (words !== null) output.line(`  ${output.style('faint', `redis-cli -p ${port} ${words}`)}`);
    }
  }

  /** The door asks for what the Redis behind it asks for. */
  #connect(): Promise<DoorClient> {
    const { node, redisUrl } = this.#session;
    const { username = '', password } = redisUrl === null ? {} : parseRedisUrl(redisUrl);
    const user = password === undefined ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
    return connectDoor(`redis://${user}${node.respAddress}`);
  }
}

/** Opens the dashboard, or says where it is. */
export async function showDashboard(output: Output, dashboard: string): Promise<void> {
  if (await openBrowser(dashboard)) return;
  output.note(`No program here opens a browser; the dashboard is at ${dashboard}`);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
