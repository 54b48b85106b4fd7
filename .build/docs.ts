/**
 * `npm run docs`: writes docs/cli.md, docs/configuration.md and docs/http.md from the commands, the table of settings and the
 * routes. A test fails when the files are not what this makes.
 */
import { writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Command, CommandEntry, OptionSpec } from '../scheduler/cli/command.ts';
import { COMMANDS } from '../scheduler/cli/commands/index.ts';
import { EXIT_CODE_MEANINGS } from '../scheduler/cli/exit-code.ts';
import { type AnySetting, flagOf, keyInFile, settingRows, variableOf } from '../scheduler/config.ts';
import { httpDocument } from './http-document.ts';
import { HTTP_INTRO } from './http-intro.ts';

const NOTICE = '<!-- Made by `npm run docs` from the code; do not edit. -->';

/** Text of docs/cli.md. */
export async function cliDocument(): Promise<string> {
  const sections = await Promise.all(COMMANDS.map(async (entry) => commandSection(entry, await entry.load())));
  return `# Command line

${NOTICE}

\`\`\`
regears <command> [arguments] [options]
\`\`\`

In a checkout every command runs as \`npx regears …\`; so does an installed package. \`regears --help\` lists the
commands, \`regears <command> --help\` explains one.

**Output.** Text for people on standard output; remarks, progress and logs on standard error; colours on terminals only
(\`NO_COLOR\` turns them off). With \`--json\` standard output holds one JSON document, or one JSON object a line where
answers come one by one (\`start\`, \`dev\`, \`demo\`, \`logs\`, \`tail\`, \`top\`, \`deploy --watch\`), and an error is \`{"error":{"code":…,"message":…}}\` on
standard error.

**Where commands go.** Commands marked *remote* talk to a running node: \`--url redis://[user:password@]host:port\`, else
the variable \`REGEARS_URL\`, else \`redis://127.0.0.1:6380\`. Commands marked *settings* take every setting of
[configuration.md](configuration.md) as a flag. Those marked *local* do neither.

## Exit codes

| code | meaning |
| --- | --- |
${EXIT_CODE_MEANINGS.map(([code, meaning]) => `| ${code} | ${meaning} |`).join('\n')}

## Commands

${sections.join('\n\n')}
`;
}

function commandSection(entry: CommandEntry, command: Command): string {
  const usage = ['regears', entry.name, ...(command.arguments ?? []).map((each) => each.syntax), '[options]'].join(' ');
  const rows = [
    ...(command.arguments ?? []).map((each) => [each.syntax, each.description]),
    ...(command.options ?? []).map((each) => [each.flags, withDefault(withChoices(each), each.defaultText)]),
    ...(command.kind === 'remote' ? [['--url <url>', 'RESP door to talk to']] : []),
    ...(command.kind === 'settings'
      ? [
          ['--config <file>', withDefault('file with settings', 'regears.config.json, if it is there')],
          ['--<setting> <value>', 'every setting of [configuration.md](configuration.md)'],
        ]
      : []),
    ['--json', 'JSON output'],
  ];
  const summary = `${entry.summary.charAt(0).toUpperCase()}${entry.summary.slice(1)}`;
  return `### ${entry.name}

${command.description ?? `${summary}.`} *(${command.kind})*

\`\`\`
${usage}
\`\`\`

| argument or option | meaning |
| --- | --- |
${rows.map(([name = '', meaning = '']) => `| \`${escapeCell(name)}\` | ${escapeCell(meaning)} |`).join('\n')}

\`\`\`
${command.examples.map((example) => `regears ${example}`).join('\n')}
\`\`\``;
}

function withChoices({ description, choices }: OptionSpec): string {
  return choices === undefined ? description : `${description}: ${choices.join(', ')}`;
}

function withDefault(description: string, text: string | undefined): string {
  return text === undefined ? description : `${description} (default: ${text})`;
}

/** Text of docs/configuration.md. */
export function configurationDocument(): string {
  const rows = settingRows().map(([, row]) => settingLine(row));
  return `# Configuration

${NOTICE}

A setting comes from a flag, else from an environment variable, else from the file \`regears.config.json\` in the working
directory (another file: \`--config <file>\` or \`REGEARS_CONFIG\`), else it has its default. \`regears config\` prints what
is in force and where each value came from.

- The variable of \`--resp-port\` is \`REGEARS_RESP_PORT\`; its key in the file is \`respPort\` (\`resp-port\` is taken too).
- Amounts of memory are written \`512kb\`, \`64mb\`, \`2gb\` (by 1024) or as a number of bytes; times \`500ms\`, \`5s\`, \`2m\`, \`1h\`,
  \`1d\` or as a number of milliseconds; lists with commas, in the file also as JSON arrays.
- Unknown flags, unknown \`REGEARS_*\` variables, unknown keys and wrong values are refused, all of them at once, with what is
  allowed.
- Variables of a standard (\`OTEL_…\`) that a meaning names are looked at last, before the default.
- \`REGEARS_SECRETS_KEY\` holds the keys for secrets themselves, in place of \`--secrets-key-file\`: neither a flag nor the file takes them, and
  nothing shows them.
- \`REGEARS_URL\` is no setting of a node: it tells remote commands which node to talk to.

\`\`\`json
{
  "redis": "redis://10.0.0.5:6379",
  "respPort": 6380,
  "limitMemory": "64mb",
  "drainTimeout": "20s"
}
\`\`\`

| flag | variable | key | default | allowed | meaning |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function settingLine(row: AnySetting): string {
  const shown = row.defaultText ?? `\`${row.kind.show(row.default)}\``;
  const names = [flagOf(row.name), variableOf(row.name), keyInFile(row)].map((name) => `\`${name}\``);
  return `| ${[...names, shown, escapeCell(row.kind.allowed), escapeCell(row.description)].join(' | ')} |`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/([*])(?= )/g, '\\$1');
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('../docs/cli.md', import.meta.url), await cliDocument());
  writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationDocument());
  writeFileSync(new URL('../docs/http.md', import.meta.url), httpDocument(HTTP_INTRO));
}
