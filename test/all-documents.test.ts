import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { parseExample } from './scheduler/cli/parse-example.ts';

const ROOT = new URL('../', import.meta.url);
const names = readdirSync(new URL('docs/', ROOT)).filter((name) => name.endsWith('.md'));
const LAYERS = ['functions/README.md', 'runtime/README.md', 'scheduler/README.md'];
const paths = ['README.md', 'CHANGELOG.md', ...LAYERS, ...names.map((name) => `docs/${name}`)];
const documents = paths.map((path) => ({ path, text: readFileSync(new URL(path, ROOT), 'utf8') }));

test('the README names every document and leads to it', () => {
  const readme = documents[0]?.text ?? '';
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => !readme.includes(`](docs/${name})`))).toEqual([]);
});

test.each(documents)('$path leads to files that are there', ({ path, text }) => {
  const links = [...text.matchAll(/\]\(([^)#\s]+)/g)].map(([, link = '']) => link);
  const files = links.filter((link) => !/^https?:/.test(link));
  expect(files.filter((link) => !existsSync(new URL(link, new URL(path, ROOT))))).toEqual([]);
});

/** What is typed at a shell: lines of its blocks, and what stands in backticks. */
function typedLines(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = '']) => block.split('\n'));
  const inline = [...text.replace(/^```.*?^```/gms, '').matchAll(/`(regears [^`]+)`/g)].map(([, code = '']) => code);
  return [...blocks, ...inline].flatMap((line) => {
    const [, typed] = /^(?:\$ )?(?:npx )?regears (.+?)(?:\s+#.*)?$/.exec(line.trim()) ?? [];
    // A line with a gap in it tells of a form.
    return typed === undefined || /[…<>]/.test(typed) ? [] : [typed];
  });
}

/** A command may be named without what it needs, and a group of commands by itself. */
const NAMED = ['commander.missingArgument', 'commander.helpDisplayed', 'commander.help'];

async function understood(line: string): Promise<string | null> {
  try {
    await parseExample(line);
    return null;
  } catch (error) {
    return error instanceof CommanderError && NAMED.includes(error.code) ? null : `${line}: ${String(error)}`;
  }
}

test.each(documents)('$path types commands that the program understands', async ({ text }) => {
  const wrong = await Promise.all(typedLines(text).map(understood));
  expect(wrong.filter((reason) => reason !== null)).toEqual([]);
});
