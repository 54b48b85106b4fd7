import { existsSync, readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateKey } from '#functions';
import { COMMANDS } from '../scheduler/cli/commands/index.ts';
import { flagOf, settingRows, variableOf } from '../scheduler/config.ts';
import { type PlatformProcess, startPlatformProcess } from './support/platform.ts';
import { startRedis, type TestRedis } from './support/redis.ts';
import { waitFor } from './support/wait.ts';

const DOCS = new URL('../docs/', import.meta.url);

/** Documents for people who write and operate functions; their examples use keys of their own. */
const NAMES = [
  'concepts.md',
  'writing-functions.md',
  'delivery.md',
  'security.md',
  'migration-redisgears-1.md',
  'migration-triggers-and-functions.md',
  'deployment.md',
  // Last, since a hook of theirs stands before a command that all may send.
  'triggers.md',
  'keyspace.md',
];
const documents = NAMES.map((name) => ({ name, text: readFileSync(new URL(name, DOCS), 'utf8') }));

type Step =
  | { readonly kind: 'load'; readonly name: string; readonly code: string }
  | { readonly kind: 'run'; readonly name: string; readonly code: string };

/** Functions to load and commands to send, in the order of the document. */
function stepsOf(text: string): readonly Step[] {
  const marked = text.matchAll(/<!-- test: (load|run) ?([\w-]*) -->\n```\w+\n(.*?)```/gs);
  return [...marked].map(([, kind, name = '', code = '']) => ({ kind: kind === 'load' ? 'load' : 'run', name, code }));
}

let redis: TestRedis;
let platform: PlatformProcess;
let door: Redis;
beforeAll(async () => {
  redis = await startRedis({ notifications: 'KEA' });
  platform = await startPlatformProcess({ redisUrl: redis.url, env: { REGEARS_SECRETS_KEY: generateKey() } });
  door = new Redis({ port: platform.respPort, replyMapping: 'legacy' });
});
afterAll(async () => {
  door?.disconnect();
  await platform?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

/** The reply as the document writes it: members of a list with spaces between them, an error as its text. */
async function answer(words: readonly string[]): Promise<string> {
  const [command = '', ...args] = words;
  const reply = await door.call(command, ...args).catch((error: Error) => error.message);
  return [reply].flat().map(String).join(' ');
}

function fits(seen: string, wanted: string): boolean {
  const [, pattern] = /^\/(.*)\/$/.exec(wanted) ?? [];
  return pattern === undefined ? seen === wanted : new RegExp(pattern).test(seen);
}

/** One line: a command, and behind `# →` what it answers at last. What changes something is sent once. */
async function follow(line: string): Promise<void> {
  const [typed = '', wanted] = line.split(/\s*# → /);
  const words = [...typed.trim().matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
  if (wanted === undefined || words[0] === 'RG.TRIGGER') {
    const seen = await answer(words);
    if (wanted !== undefined) expect(`${typed}: ${seen}`).toSatisfy(() => fits(seen, wanted));
    return;
  }
  await waitFor(async () => fits(await answer(words), wanted), { what: `${typed} gives ${wanted}` });
}

const withSteps = documents.filter(({ text }) => stepsOf(text).length > 0);

test('the documents with examples are these', () => {
  expect(withSteps.map(({ name }) => name)).toEqual(NAMES.filter((name) => !/^(delivery|deployment)/.test(name)));
});

test.each(withSteps)('the examples of $name do what it says', async ({ text }) => {
  for (const step of stepsOf(text)) {
    if (step.kind === 'load') {
      await door.call('RG.FUNCTION', 'LOAD', step.name, step.code);
    } else {
      for (const line of step.code.trim().split('\n')) await follow(line);
    }
  }
});

describe.each(documents)('$name', ({ text }) => {
  test('has no JavaScript that is not run', () => {
    const loaded = stepsOf(text).filter(({ kind }) => kind === 'load');
    expect([...text.matchAll(/^```(?:js|ts)$/gm)].length).toBe(loaded.length);
  });

  test('links to what is there', () => {
    const broken = [...text.matchAll(/\]\(([^)]+)\)/g)].filter(([, link = '']) => !leadsSomewhere(link, text));
    expect(broken.map(([, link]) => link)).toEqual([]);
    const files = [...text.matchAll(/`(test\/[\w./-]+)`/g)].map(([, path = '']) => path);
    expect(files.filter((path) => !existsSync(new URL(`../${path}`, DOCS)))).toEqual([]);
  });

  test('names commands, settings and error codes that there are', async () => {
    const entries = COMMANDS.map(({ name }) => name);
    const typed = [...text.matchAll(/(?:^|`)regears ([a-z]+)(?: ([a-z]+))?/gm)];
    expect(
      typed
        .filter(([, one = '', two = '']) => !entries.includes(one) && !entries.includes(`${one} ${two}`))
        .map(([all]) => all),
    ).toEqual([]);
    const variables = settingRows().map(([, { name }]) => variableOf(name));
    const named = [...text.matchAll(/REGEARS_[A-Z_]+/g)].map(([name]) => name);
    expect(named.filter((name) => ![...variables, 'REGEARS_URL', 'REGEARS_SECRETS_KEY'].includes(name))).toEqual([]);
    expect(ours(text).filter((name) => !settingNames.includes(name))).toEqual([]);
    const codes = [...text.matchAll(/`((?:LIMIT|SANDBOX|COMMAND|PERMISSION)_[A-Z_]+)`/g)].map(([, code = '']) => code);
    expect(codes.filter((code) => !catalogue.includes(`| ${code} |`))).toEqual([]);
  });

  test('names commands of the door in the columns that are ours', async () => {
    const cells = [...text.matchAll(/^\|[^|]*\|(.*)\|$/gm)].map(([, cell = '']) => cell);
    const names = new Set(cells.flatMap((cell) => cell.match(/RG\.[A-Z]+/g) ?? []));
    for (const name of names) expect(`${name}: ${await answer([name])}`).not.toMatch(/unknown command|there is no RG/i);
  });
});

const settingNames = settingRows().map(([, { name }]) => name);
const catalogue = ['functions', 'runtime', 'scheduler']
  .map((layer) => readFileSync(new URL(`../${layer}/README.md`, DOCS), 'utf8'))
  .join('\n');

/** Words in backticks that begin as settings do: flags, and dashed names of the limits and times that tables speak of. */
function ours(text: string): readonly string[] {
  const dashed = /`((?:limit|sandbox|drain|heartbeat|queue|quarantine|http)-[a-z-]+)`/g;
  const flags = /`--((?:redis|prefix|invoke|manage|http|resp|limit|function)[a-z-]*)`/g;
  expect(flagOf('prefix')).toBe('--prefix');
  return [dashed, flags].flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = '']) => name));
}

/** GitHub's name of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

function leadsSomewhere(link: string, text: string): boolean {
  const [path = '', anchor] = link.split('#');
  const url = new URL(path, DOCS);
  if (path !== '' && !existsSync(url)) return false;
  if (anchor === undefined) return true;
  const target = path === '' ? text : readFileSync(url, 'utf8');
  return [...target.matchAll(/^#+ (.*)$/gm)].some(([, heading = '']) => anchorOf(heading) === anchor);
}
