import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from '@babel/parser';
import { describe, expect, test } from 'vitest';

const FOLDER = fileURLToPath(new URL('../../functions/authoring/', import.meta.url));

interface Node {
  readonly type: string;
  readonly start: number;
  readonly leadingComments?: readonly { readonly type: string; readonly value: string }[];
  readonly id?: { readonly name?: string };
  readonly key?: { readonly name?: string };
  readonly body?: Node | readonly Node[];
  readonly members?: readonly Node[];
  readonly declarations?: readonly Node[];
  readonly declaration?: Node;
  readonly typeAnnotation?: Node;
}

/** A name an author meets while typing. */
interface Documented {
  /** `Owner.member` for members. */
  readonly name: string;
  /** Text of its doc comment; '' when it has none. */
  readonly doc: string;
  readonly isValue: boolean;
}

const VALUES: ReadonlySet<string> = new Set(['VariableDeclaration', 'TSDeclareFunction', 'ClassDeclaration']);

function docOf({ leadingComments = [] }: Node): string {
  const doc = leadingComments.filter(({ type, value }) => type === 'CommentBlock' && value.startsWith('*')).at(-1);
  return doc?.value.replaceAll(/^\s*\* ?/gm, '').trim() ?? '';
}

function bodyOf(node: Node): readonly Node[] {
  const { body } = node;
  if (Array.isArray(body)) return body as readonly Node[];
  return body === undefined ? [] : bodyOf(body as Node);
}

function nameOf(node: Node): string {
  return node.id?.name ?? node.declarations?.[0]?.id?.name ?? '';
}

/** Members of an interface, and of objects within their types: an editor explains those as well. */
function membersOf(owner: string, members: readonly Node[]): readonly Documented[] {
  return members.flatMap((member) => {
    const own = member.key?.name;
    const name = own === undefined ? `${owner}()` : `${owner}.${own}`;
    const inner = member.typeAnnotation?.typeAnnotation ?? member.typeAnnotation;
    // What the tables of readers hold is for the compiler; its parts have names of their own.
    const isTable = owner === 'Readers' || owner === 'RunReaders';
    const nested = inner?.type === 'TSTypeLiteral' && !isTable ? membersOf(name, inner.members ?? []) : [];
    return [{ name, doc: docOf(member), isValue: /Method|CallSignature/.test(member.type) }, ...nested];
  });
}

function namesIn(file: string): readonly Documented[] {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  const { program } = parse(text, {
    sourceType: 'module',
    plugins: [['typescript', { dts: true }]],
    attachComment: true,
  });
  const globals = (program.body as unknown as readonly Node[]).flatMap((statement) => {
    if (statement.type === 'TSModuleDeclaration') return bodyOf(statement);
    return statement.declaration === undefined || statement.declaration === null
      ? []
      : [{ ...statement.declaration, leadingComments: statement.leadingComments ?? [] }];
  });
  return globals.flatMap((node) => {
    const name = nameOf(node);
    const own = { name, doc: docOf(node), isValue: VALUES.has(node.type) };
    return [own, ...(node.type === 'TSInterfaceDeclaration' ? membersOf(name, bodyOf(node)) : [])];
  });
}

const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.d.ts'))
  .flatMap(namesIn);

/** Overloads share what the first of them says. */
function lacking(isThere: (one: Documented) => boolean): readonly string[] {
  const said = new Set(names.filter(isThere).map(({ name }) => name));
  return [...new Set(names.map(({ name }) => name))].filter((name) => name !== '' && !said.has(name));
}

describe('what an editor explains while an author types', () => {
  test('there are names', () => {
    expect(names.length).toBeGreaterThan(150);
    expect(names.map(({ name }) => name)).toEqual(expect.arrayContaining(['GearsBuilder', 'execute', 'Steps.map']));
  });

  test('every name and every member says what it is', () => {
    expect(lacking(({ doc }) => doc !== '')).toEqual([]);
  });

  test('every value, function and method shows how it is used, or what it is the same as', () => {
    const values = new Set(names.filter(({ isValue }) => isValue).map(({ name }) => name));
    const without = lacking(({ doc }) => /@example|@see|^The same as `/m.test(doc));
    expect(without.filter((name) => values.has(name))).toEqual([]);
  });
});
