import type { FunctionRecord } from '#functions';
import type { OperationDependencies } from './dependencies.ts';
import { createDumpRegistrationsOperation } from './dump-registrations.ts';
import type { Operation, ReplyValue } from './operation.ts';
import { recordReply } from './records.ts';
import { referenceError } from './syntax-error.ts';

interface Wanted {
  readonly verbose: boolean;
  readonly dead: boolean;
  /** Null = all. */
  readonly names: readonly string[] | null;
}

/** `RG.JSDUMPSESSIONS`: what `RG.PYDUMPSESSIONS` showed; a session is a function. */
export function createJsDumpSessionsOperation(dependencies: OperationDependencies): Operation {
  const { registry } = dependencies;
  const dump = createDumpRegistrationsOperation(dependencies);
  return {
    name: 'RG.JSDUMPSESSIONS',
    summary: 'Shows functions as RedisGears showed sessions, with their registrations.',
    syntax: ['RG.JSDUMPSESSIONS [VERBOSE] [DEAD] [SESSIONS <name> ...]'],
    permission: () => 'read',
    async run(args, context) {
      const wanted = readWanted(args);
      // A replaced version ends with its last execution, and is not shown: there are no dead sessions.
      if (wanted.dead) return [];
      const { functions, registrations } = registry.snapshot();
      const rows = wanted.verbose ? ((await dump.run([], context)) as readonly (readonly ReplyValue[])[]) : [];
      const shown = (id: string): ReplyValue => withoutSession(rows.find((row) => row[1] === id)) ?? id;
      const names = wanted.names ?? [...functions.keys()].sort();
      return names.map((name) => {
        const record = functions.get(name);
        if (record === undefined) return `Session ${name} does not exists`;
        const own = [...registrations.values()].filter(({ functionName }) => functionName === name);
        return sessionReply(
          record,
          own.map(({ spec }) => shown(spec.id)),
        );
      });
    },
  };
}

function readWanted(args: readonly string[]): Wanted {
  const at = args.findIndex((arg) => arg.toUpperCase() === 'SESSIONS');
  const options = (at < 0 ? args : args.slice(0, at)).map((arg) => arg.toUpperCase());
  const unknown = options.findIndex((option) => option !== 'VERBOSE' && option !== 'DEAD');
  if (unknown >= 0) throw referenceError(`Unknown option ${args[unknown]}`);
  const names = at < 0 ? null : args.slice(at + 1);
  return { verbose: options.includes('VERBOSE'), dead: options.includes('DEAD'), names };
}

/** A row of RG.DUMPREGISTRATIONS without its private data. */
function withoutSession(row: readonly ReplyValue[] | undefined): ReplyValue | undefined {
  if (row === undefined) return undefined;
  const at = row.indexOf('PD');
  return row.toSpliced(at, 2);
}

function sessionReply({ name, description }: FunctionRecord, registrations: readonly ReplyValue[]): ReplyValue {
  return recordReply({
    ID: name,
    sessionDescription: description,
    refCount: registrations.length,
    linked: 'primary',
    dead: 'false',
    requirementInstallationNeeded: 0,
    requirements: [],
    registrations,
  });
}
