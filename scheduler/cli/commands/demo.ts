import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { maskRedisUrl } from '#functions';
import { loadSettings } from '../../config.ts';
import { packageRoot } from '../../package-root.ts';
import type { Settings } from '../../settings.ts';
import { connectDoor, type DoorClient } from '../client.ts';
import type { Command } from '../command.ts';
import { feedSample, LOG_STREAM } from '../demo/feed-sample.ts';
import { freeOrAny } from '../free-ports.ts';
import { makeSampleLog } from '../demo/sample-log.ts';
import { type RunningNode, runNode } from '../node-process.ts';
import type { Output } from '../render.ts';
import { showDeployed } from './deploy.ts';
import { deployFunction } from './deploy-function.ts';

const DEFAULT_LINES = 5000;

/** `regears demo`. */
export const demo: Command = {
  kind: 'settings',
  description:
    'Shows the main job: starts a node on the embedded Redis (data in .regears/demo unless --data-dir is given), deploys ' +
    'the example functions, feeds a sample access log that it makes itself, shows the counters as they grow, and leaves ' +
    'the node running with the next commands to try. Ports that are taken are replaced by free ones.',
  options: [
    {
      flags: '--lines <n>',
      description: 'length of the sample',
      defaultText: String(DEFAULT_LINES),
      range: { min: 100, max: 10_000_000 },
    },
    { flags: '--exit', description: 'stop the node when the sample is counted' },
  ],
  examples: ['demo', 'demo --lines 100000', 'demo --exit --json'],
  run: async ({ options, settingFlags, output }) => {
    const settings = await demoSettings(settingFlags, options.text('config'));
    output.line(output.style('title', 'Starting a node'));
    const node = await runNode({ settings });
    output.record({ event: 'ready', resp: node.respAddress, http: node.httpAddress, pid: process.pid }, () =>
      output.line(
        `RESP ${node.respAddress}  HTTP http://${node.httpAddress}  data ${settings.redisUrl === null ? settings.dataDir : maskRedisUrl(settings.redisUrl)}`,
      ),
    );
    try {
      await using door = await connectDoor(`redis://${node.respAddress}`);
      await deployExamples(door, output);
      const sample = makeSampleLog(options.number('lines') ?? DEFAULT_LINES);
      output.line(`\n${output.style('title', 'Feeding the sample and watching the counters')}`);
      const counted = await feedSample({ door, output, sample, signal: node.stopping });
      if (!node.stopping.aborted) {
        output.record({ event: 'counted', entries: counted }, () =>
          output.line(`\nAll ${counted} entries are counted.`),
        );
      }
    } catch (error) {
      const interrupted = node.stopping.aborted;
      node.stop();
      await node.ended;
      if (!interrupted) throw error;
    }
    if (options.flag('exit')) node.stop();
    else if (!node.stopping.aborted) showNext(output, node);
    await node.ended;
    return undefined;
  },
};

/** The demo brings its own data directory and steps aside where a port is taken. */
async function demoSettings(
  flags: Readonly<Record<string, string>>,
  configFile: string | undefined,
): Promise<Settings> {
  const { settings, origins } = loadSettings(flags, configFile);
  return {
    ...settings,
    logLevel: origins.logLevel.source === 'default' ? 'warn' : settings.logLevel,
    dataDir: origins.dataDir.source === 'default' ? join(settings.dataDir, 'demo') : settings.dataDir,
    respPort: await freeOrAny(settings.respHost, settings.respPort),
    httpPort: await freeOrAny(settings.httpHost, settings.httpPort),
  };
}

async function deployExamples(door: DoorClient, output: Output): Promise<void> {
  output.line(`\n${output.style('title', 'Deploying the examples')}`);
  const directory = join(packageRoot(), 'functions', 'examples');
  const files = readdirSync(directory).filter((file) => /(?<!\.d|\.test)\.ts$/.test(file));
  for (const file of files.sort()) {
    const path = relative(process.cwd(), join(directory, file));
    const deployed = await deployFunction(door, { file: path, activate: true });
    output.record({ event: 'deployed', ...deployed }, () => showDeployed(output, deployed));
  }
}

function showNext(output: Output, { respAddress, httpAddress }: RunningNode): void {
  const port = respAddress.slice(respAddress.lastIndexOf(':') + 1);
  const url = port === '6380' ? '' : ` --url redis://${respAddress}`;
  const commands = [
    `redis-cli -p ${port} HGETALL log:status`,
    `redis-cli -p ${port} XADD events:web '*' user ann page /home`,
    `redis-cli -p ${port} HGETALL clicks:ann`,
    `redis-cli -p ${port} RG.TRIGGER greet ann`,
    `npx regears list${url}`,
    `npx regears registrations${url}`,
    `npx regears feed --stream ${LOG_STREAM}${url} your-access.log`,
    `curl http://${httpAddress}/readyz`,
  ];
  output.line(`\n${output.style('title', 'The node goes on running. In a second terminal, try:')}`);
  for (const command of commands) output.line(`  ${output.style('name', command)}`);
  output.line('\nCtrl-C stops it.');
}
