import { resolve } from 'node:path';
import { choice, integer, type Kind, pairs, redisUrl, text } from './kinds.ts';
import type { Rows } from './setting.ts';

const PORT = integer({ min: 0, max: 65_535 }, '<port>');
const HOST = text(/^[a-zA-Z0-9.:_-]+$/, 'a host name or an address', '<host>');
const FILE_OR_NONE: Kind<string | null> = {
  ...text(/\S/, 'a file', '<file>'),
  parse: (raw) => (raw === null ? null : parsePath(raw)),
  show: (value) => value ?? 'none',
};
const ID = /^[a-zA-Z0-9._-]{1,100}$/;

/** Where things are and what they are called. */
export const PLATFORM_ROWS: Rows<'top'> = {
  redisUrl: {
    name: 'redis',
    kind: redisUrl(),
    default: null,
    defaultText: 'embedded',
    description: 'Redis or Valkey to work on; not given: an embedded server with its data in the data directory',
  },
  respHost: { name: 'resp-host', kind: HOST, default: '127.0.0.1', description: 'Address the RESP door listens on' },
  respPort: { name: 'resp-port', kind: PORT, default: 6380, description: 'Port of the RESP door; 0 picks a free one' },
  httpHost: { name: 'http-host', kind: HOST, default: '127.0.0.1', description: 'Address the HTTP door listens on' },
  httpPort: { name: 'http-port', kind: PORT, default: 8380, description: 'Port of the HTTP door; 0 picks a free one' },
  sandboxes: {
    name: 'sandboxes',
    kind: integer({ min: 1, max: 256 }),
    default: (machine) => Math.min(machine.cores, 256),
    defaultText: 'one per core',
    description: 'Sandbox processes that run functions, without the spare',
  },
  dataDir: {
    name: 'data-dir',
    kind: { ...text(/\S/, 'a directory', '<dir>'), parse: parsePath },
    default: () => resolve('.regears'),
    defaultText: '.regears',
    description: 'Where the embedded server keeps its data',
  },
  prefix: {
    name: 'prefix',
    kind: text(/^[^\s{}*?[\]\\]{1,64}$/, '1 to 64 characters without spaces and without any of { } * ? [ ] \\'),
    default: 'rg:',
    description: 'Begin of every key the platform keeps for itself',
  },
  secretsKeyFile: {
    name: 'secrets-key-file',
    kind: FILE_OR_NONE,
    default: null,
    defaultText: 'none; with the embedded server: secrets.key in the data directory',
    description:
      'File with the keys that seal secrets of functions, the same on every node; the first one seals, all of them open',
  },
  nodeId: {
    name: 'node-id',
    kind: text(ID, '1 to 100 letters, digits, dots, dashes or underscores', '<id>'),
    default: (machine) => `${machine.hostName.replace(/[^a-zA-Z0-9._-]/g, '-').slice(0, 80)}-${machine.processId}`,
    defaultText: 'host name and process id',
    description: 'Name of this node among the nodes on the same Redis',
  },
  logLevel: {
    name: 'log-level',
    kind: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    default: 'info',
    description: 'Least important log line that is written',
  },
  functionSettings: {
    name: 'function-setting',
    fileKey: 'functionSettings',
    repeatable: true,
    kind: pairs(),
    default: {},
    defaultText: 'none',
    description: 'What configGet answers in functions; the flag may be repeated',
  },
};

function parsePath(raw: unknown): string | undefined {
  return typeof raw === 'string' && /\S/.test(raw) ? resolve(raw) : undefined;
}
