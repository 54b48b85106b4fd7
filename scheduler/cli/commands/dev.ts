import { statSync } from 'node:fs';
import { bundleFile, maskRedisUrl, PlatformError } from '#functions';
import type { Command, CommandInput } from '../command.ts';
import { runSession, showDashboard } from '../dev/dev-session.ts';
import { type DevSettings, devSettings } from '../dev/dev-settings.ts';
import { fetchSample, parseFrom, saveSample } from '../dev/fetch-sample.ts';
import { createLiveReport } from '../dev/live-report.ts';
import { parseSamples } from '../dev/sample.ts';
import type { SampleFile } from '../dev/sample-folder.ts';
import { createVersionSources } from '../dev/version-sources.ts';
import { type RunningNode, runNode } from '../node-process.ts';
import type { Output } from '../render.ts';
import { refuseSameName } from './deploy.ts';
import { functionName } from './deploy-function.ts';

const DEFAULT_SAMPLES = 'samples';

/** `regears dev`. */
export const dev: Command = {
  kind: 'settings',
  description:
    'Starts a node on a Redis of its own, deploys the files, one function each, and deploys again whenever one of them, or what it ' +
    'imports, is saved. Shows what functions write, how each event ends, what it sent to Redis, and errors with the line of the ' +
    'source; a source that is refused leaves the version before it running. After each deployment the samples are run. Data are ' +
    'thrown away at the end, unless --data-dir or --redis names a place for them.',
  arguments: [{ syntax: '[file...]', description: 'files with functions, one each; at least one', completes: 'file' }],
  options: [
    { flags: '--name <name>', description: 'name of the function', defaultText: 'file name without extension' },
    {
      flags: '--samples <folder>',
      completes: 'folder',
      description: 'folder of samples, files *.json (see docs/dev.md)',
      defaultText: DEFAULT_SAMPLES,
    },
    {
      flags: '--from <url> <stream> <id...>',
      description:
        'take an entry of another Redis, which is only read, as sample; $ is the newest one; may be repeated',
    },
    { flags: '--save', description: 'keep what --from has brought in the folder of samples' },
    { flags: '--open', description: 'open the dashboard in a browser' },
  ],
  examples: [
    'dev functions/examples/clicks.ts',
    'dev clicks.ts orders.ts --samples test/events --open',
    "dev clicks.ts --from redis://10.0.0.5:6379 events:web '$' --save",
  ],
  run: async (input) => {
    const { args, options, settingFlags, output } = input;
    const { origins, files } = parseFrom(options.list('from'));
    const all = [...args, ...files];
    await checkFiles(all, options.text('name'));
    if (options.flag('save') && origins.length === 0) {
      throw new PlatformError('ARGUMENT_INVALID', '--save is given without --from; there is nothing to save');
    }
    remarkMissing(input, options.text('samples'));
    const samples = await fetchSamples(input, origins);
    await using opening = new AsyncDisposableStack();
    const settings = await devSettings(settingFlags, options.text('config'), opening);
    for (const name of settings.ignored) {
      output.note(`${name} is not followed: dev brings its own Redis and data; use --redis or --data-dir`);
    }
    await develop(input, { files: all, settings, samples });
    return undefined;
  },
};

/** A folder that was named and is not there is a slip of the pen more often than one that is about to be made. */
function remarkMissing({ options, output }: CommandInput, folder: string | undefined): void {
  if (folder === undefined || options.flag('save') || statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    return;
  output.note(`There is no folder ${folder} (--samples); samples are found in it as soon as there is one.`);
}

interface Work {
  readonly files: readonly string[];
  readonly settings: DevSettings;
  readonly samples: readonly SampleFile[];
}

async function develop({ options, output }: CommandInput, { files, settings, samples }: Work): Promise<void> {
  const name = options.text('name');
  const functions = new Set(files.map((file) => functionName(file, name)));
  const sources = createVersionSources();
  using witness = createLiveReport(output, sources);
  const node = await runNode({ ...settings, witness });
  // A closed terminal is the end of it, too.
  process.once('SIGHUP', () => node.stop());
  const [first = ''] = functions;
  const dashboard = `http://${node.httpAddress}/#/functions/${encodeURIComponent(first)}`;
  const sampleFolder = options.text('samples') ?? DEFAULT_SAMPLES;
  showReady(output, { node, settings, dashboard });
  if (options.flag('open')) await showDashboard(output, dashboard);
  const { redisUrl } = settings.settings;
  try {
    await runSession({ node, output, sources, files, name, functions, sampleFolder, samples, redisUrl, dashboard });
  } finally {
    node.stop();
    await node.ended;
  }
  output.record({ event: 'stopped' }, () => output.line('Stopped.'));
}

interface Ready {
  readonly node: RunningNode;
  readonly settings: DevSettings;
  readonly dashboard: string;
}

function showReady(output: Output, { node, settings, dashboard }: Ready): void {
  const { redisUrl, dataDir } = settings.settings;
  const redis = redisUrl === null ? null : maskRedisUrl(redisUrl);
  const place = redis === null ? { dataDir, temporary: settings.isTemporary } : { redis };
  const { respAddress: resp, httpAddress: http } = node;
  output.record({ event: 'ready', resp, http, dashboard, pid: process.pid, ...place }, () => {
    const port = resp.slice(resp.lastIndexOf(':') + 1);
    const kept = settings.isTemporary ? 'its own, thrown away at the end' : `its own, data in ${dataDir}`;
    output.line(`${output.style('title', 'Dashboard')}  ${dashboard}`);
    output.line(`${output.style('title', 'Redis')}      redis://${resp}, redis-cli -p ${port} (${redis ?? kept})`);
  });
}

/** Everything that is wrong with the command line is told before anything starts; mistakes in sources are no reason not to. */
async function checkFiles(files: readonly string[], name: string | undefined): Promise<void> {
  if (files.length === 0) throw new PlatformError('ARGUMENT_INVALID', 'no file is given; give the file of a function');
  if (name !== undefined && files.length > 1) {
    throw new PlatformError(
      'ARGUMENT_INVALID',
      `--name is "${name}" for ${files.length} files; give one file with --name`,
    );
  }
  refuseSameName(files, name);
  for (const file of files) {
    await bundleFile(file).catch((reason: unknown) => {
      if (PlatformError.from(reason, 'FAILED').code === 'ARGUMENT_INVALID') throw reason;
    });
  }
}

async function fetchSamples(
  { options, output }: CommandInput,
  origins: ReturnType<typeof parseFrom>['origins'],
): Promise<readonly SampleFile[]> {
  const fetched = await Promise.all(origins.map(fetchSample));
  if (!options.flag('save')) {
    return fetched.map(({ name, text }) => ({ file: name, samples: parseSamples(text, name), error: null }));
  }
  for (const sample of fetched) output.note(`saved ${saveSample(options.text('samples') ?? DEFAULT_SAMPLES, sample)}`);
  return [];
}
