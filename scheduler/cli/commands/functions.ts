import { originalFiles } from '#functions';
import { cellOf, fieldsOf, type Reply, recordsOf } from '../client.ts';
import type { Command } from '../command.ts';
import { timeOf } from '../time.ts';

/** `regears list`. */
export const list: Command = {
  kind: 'remote',
  examples: ['list', 'list --json --url redis://127.0.0.1:6380'],
  run: async ({ output, door }) => {
    const functions = recordsOf(await (await door()).call('RG.FUNCTION', 'LIST'));
    output.answer(functions, () => {
      if (functions.length === 0) return output.line('There are no functions. Load one: regears deploy <file>');
      const row = (each: Record<string, Reply>) => [
        cellOf(each.name),
        cellOf(each.activeVersion),
        cellOf(each.latestVersion),
        timeOf(each.updatedAtMs),
        cellOf(each.description),
      ];
      output.table(['NAME', 'ACTIVE', 'LATEST', 'CHANGED', 'DESCRIPTION'], functions.map(row));
    });
    return undefined;
  },
};

/** `regears versions`. */
export const versions: Command = {
  kind: 'remote',
  arguments: [{ syntax: '<function>', description: 'name of the function', completes: 'function' }],
  examples: ['versions clicks'],
  run: async ({ args, output, door }) => {
    const all = recordsOf(await (await door()).call('RG.FUNCTION', 'VERSIONS', args[0] ?? ''));
    output.answer(all, () => {
      const row = (each: Record<string, Reply>) => [
        cellOf(each.version),
        each.active === 1 || each.active === 'true' ? 'active' : '',
        cellOf(each.language),
        String(each.sha256).slice(0, 12),
        timeOf(each.createdAtMs),
        cellOf(each.description),
      ];
      output.table(['VERSION', 'STATE', 'LANGUAGE', 'SHA256', 'LOADED', 'DESCRIPTION'], all.map(row));
    });
    return undefined;
  },
};

/** `regears show`. */
export const show: Command = {
  kind: 'remote',
  arguments: [{ syntax: '<function>', description: 'name of the function', completes: 'function' }],
  options: [
    {
      flags: '--version <n>',
      description: 'which version',
      completes: 'version',
      defaultText: 'the active one',
      range: { min: 1, max: 1e9 },
    },
    {
      flags: '--source',
      description: 'print the source as its author wrote it, and nothing else; --json has what was uploaded',
    },
  ],
  examples: ['show clicks', 'show clicks --version 1 --source'],
  run: async ({ args, options, output, door }) => {
    const version = options.number('version');
    const which = version === undefined ? [] : ['VERSION', version];
    const found = fieldsOf(await (await door()).call('RG.FUNCTION', 'GET', args[0] ?? '', ...which));
    output.answer(found, () => {
      if (options.flag('source')) return output.line(sourceText(found));
      for (const [name, value] of Object.entries(found)) {
        if (name !== 'source')
          output.line(`${output.style('name', (LABELS[name] ?? name).padEnd(14))} ${showField(name, value)}`);
      }
    });
    return undefined;
  },
};

/** Of several files each stands behind a line with its path. */
function sourceText({ name, language, source }: Record<string, Reply>): string {
  const uploaded = {
    source: String(source ?? ''),
    language: language === 'ts' ? 'ts' : 'js',
    sourceMap: null,
  } as const;
  const files = originalFiles(uploaded, String(name));
  const texts = files.map((file) => file.source.trimEnd());
  return files.length === 1 ? texts.join('') : files.map(({ path }, at) => `// ${path}\n${texts[at]}`).join('\n\n');
}

const LABELS: Readonly<Record<string, string>> = { createdAtMs: 'loaded' };

function showField(name: string, value: Reply): string {
  if (name === 'active') return value === 1 || value === 'true' ? 'yes' : 'no';
  if (name === 'registrations' && Array.isArray(value)) return value.length === 0 ? '-' : value.map(cellOf).join(', ');
  if (name.endsWith('AtMs')) return timeOf(value) ?? '-';
  if (value === null) return '-';
  if (Array.isArray(value) && (name === 'limits' || name === 'settings')) {
    const shown = Object.entries(fieldsOf(value)).map(([key, text]) => `${key}=${cellOf(text)}`);
    return shown.join(', ');
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
