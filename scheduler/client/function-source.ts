import { type ParserOptions, parseExpression } from '@babel/parser';
import { RemoteError, type SourcePosition, type StepPlace, showStep } from './errors.ts';
import { type FreeNames, findFreeNames } from './free-names.ts';
import { builtInName, GUEST_NAMES } from './guest-names.ts';
import type { SyntaxNode } from './scope.ts';

/** A function in the form in which it is sent. */
export interface SentFunction {
  readonly step: StepPlace;
  /** An expression that gives the function; its own text begins on the second line, in the first column. */
  readonly expression: string;
  /** As `toString` gives it. */
  readonly text: string;
  /** Names of the program around, where each is used first: the platform does not have them. */
  readonly outer: ReadonlyMap<string, SourcePosition>;
}

export interface FunctionUse {
  readonly step: StepPlace;
  /** Generators are for readers. */
  readonly mayGenerate: boolean;
}

/** Strict as in ES modules; a function is evaluated on the platform as a part of a script. */
const SYNTAX: ParserOptions = { sourceType: 'script', strictMode: true, plugins: ['explicitResourceManagement'] };

/** Errors: FUNCTION_UNSENDABLE, which names the step, the place and the reason. */
export function readFunction(fn: (...args: never) => unknown, use: FunctionUse): SentFunction {
  const { step } = use;
  const text = Function.prototype.toString.call(fn);
  const builtIn = builtInName(fn);
  if (builtIn !== null) return { step, expression: `(\n${builtIn}\n)`, text: builtIn, outer: new Map() };
  const { node, expression } = parseFunction(text, step);
  if (node.generator === true && !use.mayGenerate) {
    throw unsendable(step, 'is a generator, whose elements nobody would take: return a list, as flatmap takes it');
  }
  const free = findFreeNames(node);
  refuseWords(free, step);
  return { step, expression, text, outer: new Map([...free.names].filter(([name]) => !GUEST_NAMES.has(name))) };
}

/** Errors: ARGUMENT_INVALID unless a function can have a variable of this name. */
export function checkVariableName(name: string): void {
  const expression = tryParse(`(${name}) => 0`);
  const [param, ...others] = (expression?.params ?? []) as readonly SyntaxNode[];
  if (others.length === 0 && param?.type === 'Identifier' && param.name === name) return;
  throw new RemoteError(
    'ARGUMENT_INVALID',
    `with: ${JSON.stringify(name.slice(0, 100))} cannot be the name of a variable`,
  );
}

interface ParsedFunction {
  readonly node: SyntaxNode;
  readonly expression: string;
}

function parseFunction(text: string, step: StepPlace): ParsedFunction {
  const node = tryParse(text);
  if (node?.type === 'ArrowFunctionExpression' || node?.type === 'FunctionExpression') {
    return { node, expression: `(\n${text}\n)` };
  }
  if (node?.type === 'ClassExpression') throw unsendable(step, 'is a class: give a function');
  const method = node === null ? parseMethod(text, step) : null;
  if (method !== null) return method;
  if (text.endsWith('{ [native code] }')) {
    throw unsendable(step, 'is native or bound, and has no source: write (record) => … around it');
  }
  throw unsendable(step, `is no function that could be read${reasonOf(text)}`);
}

/** The text of a method is none of a function, but that of a member of an object. */
function parseMethod(text: string, step: StepPlace): ParsedFunction | null {
  const [member, ...others] = (tryParse(`({\n${text}\n})`)?.properties ?? []) as readonly SyntaxNode[];
  if (member?.type !== 'ObjectMethod' || others.length > 0) return null;
  if (member.kind !== 'method') throw unsendable(step, 'is a getter or setter: give a function');
  const name = member.computed === true ? undefined : nameOf(member.key as SyntaxNode);
  if (name === undefined) throw unsendable(step, 'is a method with a computed name: give a function');
  // Its line is one further down in what was parsed here.
  const node = parseExpression(`({${text}\n})`, SYNTAX) as unknown as SyntaxNode;
  const [own] = node.properties as readonly SyntaxNode[];
  return { node: own ?? member, expression: `({\n${text}\n})[${JSON.stringify(name)}]` };
}

function nameOf(key: SyntaxNode): string | undefined {
  const name = key.type === 'Identifier' ? key.name : key.value;
  return typeof name === 'string' || typeof name === 'number' ? String(name) : undefined;
}

function tryParse(text: string): SyntaxNode | null {
  try {
    return parseExpression(text, SYNTAX) as unknown as SyntaxNode;
  } catch {
    return null;
  }
}

function reasonOf(text: string): string {
  try {
    parseExpression(text, SYNTAX);
    return '';
  } catch (error) {
    return error instanceof Error ? `: ${error.message} (functions are read in strict mode)` : '';
  }
}

const WORDS: Readonly<Record<string, string>> = {
  this: 'uses this, which is nothing there: pass values with .with({ … })',
  super: 'uses super, which is nothing there',
  arguments: 'uses arguments of the function around it: give it parameters of its own',
  import: 'uses import(…): functions have no modules',
};

function refuseWords({ words }: FreeNames, step: StepPlace): void {
  const [first] = words;
  if (first !== undefined) throw unsendable(step, WORDS[first[0]] ?? `uses ${first[0]}`, first[1]);
}

/** A refusal of a function, for this reason. */
export function unsendable(step: StepPlace, reason: string, position?: SourcePosition): RemoteError {
  const where = position === undefined ? '' : ` at ${position.line}:${position.column}`;
  return new RemoteError('FUNCTION_UNSENDABLE', `${showStep(step)}: the function${where} ${reason}`, {
    step,
    position,
  });
}
