import { RemoteError, type SourcePosition, type StepPlace, showStep } from './errors.ts';
import { type SentFunction, unsendable } from './function-source.ts';
import { ABSENT_NAMES } from './guest-names.ts';

/** A call of the builder on the platform. */
export interface Call {
  readonly step: StepPlace;
  /** JavaScript; functions are `$regears[n]`. */
  readonly args: string;
}

export interface ScriptParts {
  /** Arguments of `new GearsBuilder`. */
  readonly reader: string;
  readonly calls: readonly Call[];
  /** In the order of their numbers. */
  readonly functions: readonly SentFunction[];
  /** Name → JavaScript. */
  readonly values: ReadonlyMap<string, string>;
  /** Name → function that the others, and these themselves, find under it. */
  readonly helpers: ReadonlyMap<string, SentFunction>;
}

/** What is sent, and which line of it is what. */
export interface Script {
  readonly text: string;
  /** The place of a user's code at a place of the script; undefined for lines that are of the client's own. */
  placeAt(line: number, column: number): ScriptPlace | undefined;
}

export interface ScriptPlace {
  readonly step: StepPlace;
  /** Undefined when it is the call itself, not in a function. */
  readonly position: SourcePosition | undefined;
  /** The line of the function. */
  readonly source: string;
}

interface Range {
  readonly first: number;
  readonly lines: readonly string[];
  readonly step: StepPlace;
  readonly isFunction: boolean;
}

/** The name of the list of functions in a script. */
export const FUNCTIONS_NAME = '$regears';

/** Errors: CLOSURE_REFUSED; FUNCTION_UNSENDABLE for names of Node. */
export function writeScript({ reader, calls, functions, values, helpers }: ScriptParts): Script {
  refuseClosures([...helpers.values(), ...functions], new Set([...values.keys(), ...helpers.keys()]));
  const ranges: Range[] = [];
  let script = '';
  let line = 1;
  const add = (text: string): void => {
    script += `${text}\n`;
    line += text.split(LINE_ENDS).length;
  };
  const addFunction = ({ expression, text, step }: SentFunction, before: string, after: string): void => {
    ranges.push({ first: line + 1, lines: text.split(LINE_ENDS), step, isFunction: true });
    add(`${before}${expression}${after}`);
  };
  add(`'use strict';\nconst ${FUNCTIONS_NAME} = ((${[...values.keys()].join(', ')}) => {`);
  for (const [name, helper] of helpers) addFunction(helper, `const ${name} = `, ';');
  add('return [');
  for (const fn of functions) addFunction(fn, '', ',');
  add(`];\n})(${[...values.values()].join(', ')});\nnew GearsBuilder(${reader})`);
  for (const { step, args } of calls) {
    ranges.push({ first: line, lines: [''], step, isFunction: false });
    add(`.${step.operation}(${args})`);
  }
  return { text: script, placeAt: (at, column) => placeIn(ranges, at, column) };
}

/** What ends a line for JavaScript. */
const LINE_ENDS = /\r\n|[\n\r\u2028\u2029]/;

function placeIn(ranges: readonly Range[], line: number, column: number): ScriptPlace | undefined {
  const range = ranges.find(({ first, lines }) => line >= first && line < first + lines.length);
  if (range === undefined) return undefined;
  const { step, first, lines, isFunction } = range;
  const at = line - first;
  const position = isFunction ? { line: at + 1, column } : undefined;
  return { step, position, source: (lines[at] ?? '').trim() };
}

interface OuterUse {
  readonly step: StepPlace;
  readonly outer: readonly (readonly [name: string, position: SourcePosition])[];
}

function refuseAbsent(uses: readonly OuterUse[]): void {
  for (const { step, outer } of uses) {
    for (const [name, position] of outer) {
      const absent = ABSENT_NAMES.get(name);
      if (absent !== undefined) throw unsendable(step, `uses ${name}: ${absent}`, position);
    }
  }
}

function refuseClosures(functions: readonly SentFunction[], known: ReadonlySet<string>): void {
  const uses: readonly OuterUse[] = functions
    .map(({ step, outer }) => ({ step, outer: [...outer].filter(([name]) => !known.has(name)) }))
    .filter(({ outer }) => outer.length > 0);
  const [first] = uses;
  if (first === undefined) return;
  refuseAbsent(uses);
  const told = uses.map(
    ({ step, outer }) =>
      `${showStep(step)} uses ${outer.map(([name, { line, column }]) => `${name} (at ${line}:${column})`).join(', ')}`,
  );
  const names = [...new Set(uses.flatMap(({ outer }) => outer.map(([name]) => name)))];
  throw new RemoteError(
    'CLOSURE_REFUSED',
    `${told.join('; ')}. A function is sent as its source, without what is around it: pass values and functions with .with({ ${names.join(', ')} }), or declare them inside of the function`,
    { step: first.step, position: first.outer[0]?.[1], details: { names } },
  );
}
