import { loadSettings } from '../../config.ts';
import type { Command } from '../command.ts';
import { runNode } from '../node-process.ts';

/** `regears start`. */
export const start: Command = {
  kind: 'settings',
  description:
    'Starts a node: the RESP door, the HTTP door and the sandboxes. Without --redis it brings its own Redis with an ' +
    'append-only file in the data directory. Prints one line with both addresses when it is ready; logs go to standard ' +
    'error. SIGINT or SIGTERM ends it gracefully, a second one at once.',
  examples: ['start', 'start --redis redis://10.0.0.5:6379 --sandboxes 4', 'start --resp-port 0 --http-port 0 --json'],
  run: async ({ options, settingFlags, output }) => {
    const node = await runNode(loadSettings(settingFlags, options.text('config')));
    const ready = { event: 'ready', resp: node.respAddress, http: node.httpAddress, pid: process.pid };
    output.record(ready, () => output.line(`ready  RESP ${node.respAddress}  HTTP http://${node.httpAddress}`));
    await node.ended;
    return undefined;
  },
};
