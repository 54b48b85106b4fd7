import { argumentError } from './syntax-error.ts';

/** Sub-options of a command: keywords that stand alone, and keywords with a value behind them. */
export interface OptionShape {
  readonly flags: readonly string[];
  readonly values: readonly string[];
}

export interface Options {
  has(flag: string): boolean;
  text(name: string): string | undefined;
  /** A whole number from `least` on; COMMAND_SYNTAX otherwise. */
  number(name: string, least: number): number | undefined;
}

/**
 * Reads sub-options in any order and any case; a repeated one counts as its last. COMMAND_SYNTAX names an unknown keyword and
 * what is allowed, or the keyword whose value is missing.
 */
export function readOptions(args: readonly string[], shape: OptionShape): Options {
  const found = new Map<string, string>();
  for (let i = 0; i < args.length; i += 1) {
    const keyword = (args[i] as string).toUpperCase();
    if (shape.flags.includes(keyword)) found.set(keyword, '');
    else if (shape.values.includes(keyword)) {
      i += 1;
      const value = args[i];
      if (value === undefined) throw argumentError(`${keyword} is missing its value`);
      found.set(keyword, value);
    } else throw unknownOption(args[i] as string, shape);
  }
  return {
    has: (flag) => found.has(flag),
    text: (name) => found.get(name),
    number: (name, least) => numberOf(name, found.get(name), least),
  };
}

function numberOf(name: string, value: string | undefined, least: number): number | undefined {
  if (value === undefined) return undefined;
  return wholeNumber(name, value, least);
}

/** COMMAND_SYNTAX unless `value` is a whole number from `least` on. */
export function wholeNumber(name: string, value: string, least: number): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && Number.isSafeInteger(number) && number >= least) return number;
  throw argumentError(`${name} is "${value.slice(0, 100)}"; allowed is a whole number from ${least} on`);
}

function unknownOption(keyword: string, { flags, values }: OptionShape): Error {
  const allowed = [...flags, ...values.map((name) => `${name} <value>`)].join(', ');
  const shown = keyword.slice(0, 100);
  return argumentError(
    allowed === '' ? `unexpected argument "${shown}"` : `unknown option "${shown}"; allowed: ${allowed}`,
  );
}
