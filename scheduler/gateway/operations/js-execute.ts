import { randomBytes } from 'node:crypto';
import { type Manifest, PlatformError, type Registry } from '#functions';
import type { OperationDependencies } from './dependencies.ts';
import { executionResultsReply } from './execution-replies.ts';
import { loadFunction } from './function-changes.ts';
import { inspectScript } from './inspect-script.ts';
import type { Operation, ReplyValue } from './operation.ts';
import { OK } from './records.ts';
import { argumentError, arityError, referenceError } from './syntax-error.ts';

interface Request {
  readonly script: string;
  /** Null = a name is made up. */
  readonly id: string | null;
  readonly description: string | null;
  readonly upgrade: boolean;
  readonly unblocking: boolean;
  /** A script that registers is refused; without it, `regears run` of a wrong file would put a nameless function in force. */
  readonly runOnly: boolean;
  /** Results can be read while it runs. */
  readonly followed: boolean;
  readonly replaces: string | null;
}

const FLAGS: ReadonlySet<string> = new Set(['UNBLOCKING', 'FOLLOW', 'UPGRADE', 'RUNONLY']);
const WITH_VALUE: ReadonlySet<string> = new Set(['ID', 'DESCRIPTION', 'REPLACE_WITH']);
const ID_TEXT = /^[A-Za-z0-9_-]+$/;
const BAD_ID = "ID must be compose of: ['A'-'Z' | 'a'-'z' | '0' - '9' | '-' | '_']";

/** `RG.JSEXECUTE`: what `RG.PYEXECUTE` was. A session is a function, its ID the function's name. */
export function createJsExecuteOperation(dependencies: OperationDependencies): Operation {
  const { registry, executions } = dependencies;
  return {
    name: 'RG.JSEXECUTE',
    summary: 'Evaluates a script: runs its run(...), and puts what it registers in force, as RG.PYEXECUTE did.',
    syntax: [
      'RG.JSEXECUTE <script> [UNBLOCKING [FOLLOW]] [ID <name>] [DESCRIPTION <text>] [UPGRADE] [REPLACE_WITH <name>] [RUNONLY]',
    ],
    permission: () => 'manage',
    // All but the script.
    subject: (args) => args.slice(1),
    async run(args, { signal }) {
      const request = readRequest(args);
      checkSessions(registry, request);
      const { target, manifest } = await inspectScript(dependencies, { id: request.id, source: request.script });
      if (request.runOnly) checkThatItOnlyRuns(manifest);
      const [run] = manifest.runs;
      const registers = manifest.registrations.length > 0;
      // A script that only runs leaves no session behind.
      if (registers || (run === undefined && request.id !== null)) await install(dependencies, request);
      if (run === undefined) return OK;
      if (!registers && !request.unblocking)
        return executionResultsReply(await executions.run({ target, run }, signal));
      const id = await executions.start({ target, run }, { followed: request.followed });
      return registers ? OK : id;
    },
  };
}

function checkThatItOnlyRuns({ runs, registrations }: Manifest): void {
  const isRun = runs.length > 0 && registrations.length === 0;
  if (isRun) return;
  const why = registrations.length > 0 ? 'the script registers something' : 'the script calls no run(...)';
  throw new PlatformError(
    'ARGUMENT_INVALID',
    `${why}, and only runs were asked for; what reacts to events is loaded as a function: regears deploy, or RG.FUNCTION LOAD`,
  );
}

async function install(dependencies: OperationDependencies, request: Request): Promise<ReplyValue> {
  const name = request.id ?? randomBytes(20).toString('hex');
  await load(dependencies, name, request);
  return OK;
}

function readRequest([script, ...rest]: readonly string[]): Request {
  if (script === undefined) throw arityError('rg.jsexecute');
  const options = new Map<string, string>();
  for (let i = 0; i < rest.length; i += 1) {
    const keyword = (rest[i] as string).toUpperCase();
    const takesValue = WITH_VALUE.has(keyword);
    if (!takesValue && !FLAGS.has(keyword)) throw referenceError(`Unknown arguments were given: ${rest[i]}`);
    if (takesValue) i += 1;
    options.set(keyword, optionValue(keyword, takesValue ? rest[i] : ''));
  }
  const replaces = options.get('REPLACE_WITH') ?? null;
  const upgrade = options.has('UPGRADE') || replaces !== null;
  const description = options.get('DESCRIPTION') ?? null;
  const unblocking = options.has('UNBLOCKING');
  const followed = options.has('FOLLOW');
  if (followed && !unblocking)
    throw argumentError('FOLLOW needs UNBLOCKING: results are read by the id that it answers');
  const runOnly = options.has('RUNONLY');
  return { script, id: options.get('ID') ?? null, description, upgrade, unblocking, runOnly, followed, replaces };
}

function optionValue(keyword: string, value: string | undefined): string {
  if (value === undefined) throw referenceError(`${keyword} is missing`);
  if (keyword === 'ID' && !ID_TEXT.test(value)) throw referenceError(BAD_ID);
  return value;
}

function checkSessions(registry: Registry, { id, upgrade, replaces }: Request): void {
  const { functions } = registry.snapshot();
  const exists = id !== null && functions.has(id);
  if (replaces !== null && exists) throw referenceError(`Can not replace an existing session ${id} with ${replaces}`);
  if (replaces !== null && !functions.has(replaces)) {
    throw referenceError(`Can not replace with ${replaces}, session does not exists.`);
  }
  if (exists && !upgrade) throw referenceError(`Session ${id} already exists`);
}

async function load(dependencies: OperationDependencies, name: string, request: Request): Promise<void> {
  try {
    await loadFunction(dependencies, {
      name,
      source: request.script,
      language: 'js',
      description: request.description,
      activate: true,
      sourceMap: null,
      mustBeNew: !request.upgrade || request.replaces !== null,
      keepWhenEmpty: true,
      ...(request.replaces === null ? {} : { replaces: request.replaces }),
    });
  } catch (error) {
    // Somebody else was faster than the check.
    if (error instanceof PlatformError && error.code === 'FUNCTION_EXISTS') {
      throw referenceError(`Session ${name} already exists`);
    }
    throw error;
  }
}
