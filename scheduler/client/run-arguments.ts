import { RemoteError } from './errors.ts';
import type { WaitOptions } from './types.ts';

export interface SplitArguments {
  readonly own: {
    readonly unblocking: boolean;
    /** Null = however long it takes. */
    readonly wait: WaitOptions | null;
  };
  /** As `run` of a source takes them, results left as they are. */
  readonly forPlatform: readonly unknown[];
}

type Options = Readonly<Record<string, unknown>>;

/** Takes the client's own options out of the arguments of `run`. Errors: ARGUMENT_INVALID. */
export function splitRunArguments(args: readonly unknown[]): SplitArguments {
  const at = isOptions(args[0]) ? 0 : 1;
  const given = args[at];
  if (given !== undefined && !isOptions(given)) return { own: NOTHING, forPlatform: withOptions(args, at, {}) };
  const { unblocking, timeoutMs, signal, convertToStr, ...others } = given ?? {};
  check(unblocking === undefined || typeof unblocking === 'boolean', 'unblocking must be true or false');
  check(timeoutMs === undefined || isDuration(timeoutMs), 'timeoutMs must be a number of milliseconds above 0');
  check(signal === undefined || signal instanceof AbortSignal, 'signal must be an AbortSignal');
  check(
    convertToStr === undefined,
    'convertToStr does not exist here: results arrive as they are; a step .map(String) makes text of them',
  );
  const waits = timeoutMs !== undefined || signal !== undefined;
  check(!(unblocking === true && waits), 'unblocking does not wait; give timeoutMs and signal to results(…)');
  const wait = waits ? ({ timeoutMs, signal } as WaitOptions) : null;
  return { own: { unblocking: unblocking === true, wait }, forPlatform: withOptions(args, at, others) };
}

const NOTHING = { unblocking: false, wait: null };

/** What is no object stays where it is, for the platform to refuse. */
function withOptions(args: readonly unknown[], at: number, options: Options): readonly unknown[] {
  if (args[at] !== undefined && !isOptions(args[at])) return args;
  const before = at === 0 ? [] : [args[0]];
  return [...before, { ...options, convertToStr: false }, ...args.slice(at + 1)];
}

function isOptions(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDuration(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}

function check(isRight: boolean, message: string): void {
  if (!isRight) throw new RemoteError('ARGUMENT_INVALID', `run: ${message}`);
}
