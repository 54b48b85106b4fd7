import type { FunctionRecord, LoadFunctionResult, SourceLanguage, VersionRecord } from '#functions';
import type { OperationDependencies } from './dependencies.ts';
import { loadFunction, removeFunction, rollBackFunction } from './function-changes.ts';
import type { Operation, Permission, ReplyValue } from './operation.ts';
import { readOptions, wholeNumber } from './options.ts';
import { OK, recordReply } from './records.ts';
import { argumentError, arityError } from './syntax-error.ts';
import { versionReport } from './version-report.ts';

interface SubCommand {
  readonly syntax: string;
  readonly permission: Permission;
  readonly leastArgs: number;
  run(args: readonly string[]): Promise<ReplyValue>;
}

const COMMAND = 'rg.function';

/** `RG.FUNCTION`: load, look at, roll back and delete functions. */
export function createFunctionOperation(dependencies: OperationDependencies): Operation {
  const subCommands: Readonly<Record<string, SubCommand>> = {
    LOAD: loadCommand(dependencies),
    LIST: {
      syntax: 'RG.FUNCTION LIST',
      permission: 'read',
      leastArgs: 0,
      run: async () => (await dependencies.registry.list()).map(functionReply),
    },
    VERSIONS: versionsCommand(dependencies),
    GET: getCommand(dependencies),
    ROLLBACK: rollbackCommand(dependencies),
    DELETE: deleteCommand(dependencies),
  };
  const subCommandOf = (args: readonly string[]): SubCommand | undefined => subCommands[args[0]?.toUpperCase() ?? ''];
  return {
    name: 'RG.FUNCTION',
    summary: 'Loads, lists, shows, rolls back and deletes functions.',
    syntax: Object.values(subCommands).map(({ syntax }) => syntax),
    permission: (args) => subCommandOf(args)?.permission ?? 'read',
    subject: (args) => args.slice(0, 2),
    async run(args) {
      if (args.length === 0) throw arityError(COMMAND);
      const subCommand = subCommandOf(args);
      if (subCommand === undefined) throw unknownSubCommand(args[0] ?? '', Object.keys(subCommands));
      if (args.length - 1 < subCommand.leastArgs) {
        throw arityError(`${COMMAND}|${args[0]?.toLowerCase()}`);
      }
      return subCommand.run(args.slice(1));
    },
  };
}

function unknownSubCommand(given: string, known: readonly string[]): Error {
  return argumentError(`unknown subcommand '${given.slice(0, 100)}'. Try one of ${known.join(', ')}.`);
}

function loadCommand(dependencies: OperationDependencies): SubCommand {
  return {
    syntax: 'RG.FUNCTION LOAD <name> <source> [DESCRIPTION <text>] [LANGUAGE js|ts] [NUMBER <n>] [NOACTIVATE|PAUSED]',
    permission: 'manage',
    leastArgs: 2,
    async run([name = '', source = '', ...rest]) {
      const options = readOptions(rest, {
        flags: ['NOACTIVATE', 'PAUSED'],
        values: ['DESCRIPTION', 'LANGUAGE', 'NUMBER'],
      });
      const number = options.number('NUMBER', 1);
      const loaded = await loadFunction(dependencies, {
        name,
        source,
        language: languageOf(options.text('LANGUAGE')),
        description: options.text('DESCRIPTION') ?? null,
        activate: !options.has('NOACTIVATE'),
        sourceMap: null,
        ...(number === undefined ? {} : { number }),
        ...(options.has('PAUSED') ? { startsPaused: true } : {}),
      });
      return loadedReply(loaded);
    },
  };
}

function languageOf(text = 'js'): SourceLanguage {
  const language = text.toLowerCase();
  if (language === 'js' || language === 'ts') return language;
  throw argumentError(`LANGUAGE is "${text.slice(0, 100)}"; allowed are js and ts`);
}

function versionsCommand({ registry }: OperationDependencies): SubCommand {
  return {
    syntax: 'RG.FUNCTION VERSIONS <name>',
    permission: 'read',
    leastArgs: 1,
    async run([name = '', ...rest]) {
      readOptions(rest, { flags: [], values: [] });
      const versions = await registry.versions(name);
      const active = await activeVersionOf(registry, name);
      return versions.map((version) => recordReply(versionFields(version, active)));
    },
  };
}

function getCommand({ registry }: OperationDependencies): SubCommand {
  return {
    syntax: 'RG.FUNCTION GET <name> [VERSION <n>]',
    permission: 'read',
    leastArgs: 1,
    async run([name = '', ...rest]) {
      const wanted = readOptions(rest, { flags: [], values: ['VERSION'] }).number('VERSION', 1);
      const version = await registry.get(name, wanted);
      const active = await activeVersionOf(registry, name);
      return recordReply({ name, ...versionFields(version, active), source: version.artifact.source });
    },
  };
}

function rollbackCommand(dependencies: OperationDependencies): SubCommand {
  return {
    syntax: 'RG.FUNCTION ROLLBACK <name> [<version>] [FROM <entry id>]',
    permission: 'manage',
    leastArgs: 1,
    async run([name = '', ...rest]) {
      const hasVersion = rest[0] !== undefined && rest[0].toUpperCase() !== 'FROM';
      const version = hasVersion ? wholeNumber('version', rest[0] as string, 1) : undefined;
      const options = readOptions(rest.slice(hasVersion ? 1 : 0), { flags: [], values: ['FROM'] });
      return loadedReply(await rollBackFunction(dependencies, { name, version, fromId: options.text('FROM') }));
    },
  };
}

function deleteCommand(dependencies: OperationDependencies): SubCommand {
  return {
    syntax: 'RG.FUNCTION DELETE <name> [ABORTPENDING]',
    permission: 'manage',
    leastArgs: 1,
    async run([name = '', ...rest]) {
      const options = readOptions(rest, { flags: ['ABORTPENDING'], values: [] });
      await removeFunction(dependencies, name, options.has('ABORTPENDING'));
      return OK;
    },
  };
}

async function activeVersionOf(registry: OperationDependencies['registry'], name: string): Promise<number | null> {
  return (await registry.list()).find((each) => each.name === name)?.activeVersion ?? null;
}

function functionReply(record: FunctionRecord): ReplyValue {
  const { name, description, activeVersion, latestVersion, createdAtMs, updatedAtMs } = record;
  return recordReply({ name, activeVersion, latestVersion, description, createdAtMs, updatedAtMs });
}

function versionFields(record: VersionRecord, activeVersion: number | null): Readonly<Record<string, ReplyValue>> {
  const report = versionReport(record, activeVersion);
  const { version, active, sha256, language, description, createdAtMs, registrations, limits, settings } = report;
  return {
    ...{ version, active: active ? 1 : 0, sha256, language, description, createdAtMs },
    registrations: registrations.map(({ id }) => id),
    limits: limits === null ? null : recordReply(limits),
    ...{ commands: report.commands, keys: report.keys },
    settings: settings === null ? null : recordReply(settings),
    secrets: report.secrets,
  };
}

function loadedReply({ name, version, sha256, registrationIds }: LoadFunctionResult): ReplyValue {
  return [name, version, sha256, registrationIds];
}
