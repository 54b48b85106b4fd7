import type { SourcePosition } from './errors.ts';
import { blockNames, boundNames, childrenOf, isFunction, isNode, Scope, type SyntaxNode, varNames } from './scope.ts';

/** What a function takes from around it. */
export interface FreeNames {
  /** Names that are declared nowhere within, where each is used first. */
  readonly names: ReadonlyMap<string, SourcePosition>;
  /** `this`, `super`, `arguments` and `import` of what is around. */
  readonly words: ReadonlyMap<string, SourcePosition>;
}

/** Where the walk is. */
interface Place {
  readonly scope: Scope;
  /** Whether `this` and `super` belong to something within. */
  readonly hasThis: boolean;
}

/** Fields that hold a name which refers to nothing, unless it is computed. */
const KEY_FIELDS: Readonly<Record<string, string>> = {
  MemberExpression: 'property',
  OptionalMemberExpression: 'property',
  ObjectProperty: 'key',
  ObjectMethod: 'key',
  ClassMethod: 'key',
  ClassProperty: 'key',
  ClassAccessorProperty: 'key',
};

const WORDS: Readonly<Record<string, string>> = {
  ThisExpression: 'this',
  Super: 'super',
  Import: 'import',
  ImportExpression: 'import',
};

const NO_REFERENCES: ReadonlySet<string> = new Set([
  'PrivateName',
  'MetaProperty',
  'BreakStatement',
  'ContinueStatement',
  'InterpreterDirective',
]);

/** @param root a function. */
export function findFreeNames(root: SyntaxNode): FreeNames {
  const walk = new Walk();
  walk.function(root, { scope: new Scope([], null), hasThis: false }, true);
  return walk;
}

class Walk implements FreeNames {
  readonly names = new Map<string, SourcePosition>();
  readonly words = new Map<string, SourcePosition>();

  visit(node: SyntaxNode, place: Place): void {
    const word = WORDS[node.type];
    if (NO_REFERENCES.has(node.type)) return;
    if (isFunction(node)) this.function(node, place, false);
    else if (node.type === 'Identifier') this.#name(node, place);
    else if (word === undefined) this.#structure(node, place);
    else if (word === 'import' || !place.hasThis) this.#word(word, node);
  }

  /** @param isRoot the function itself, whose `this` is given by nobody. */
  function(node: SyntaxNode, place: Place, isRoot: boolean): void {
    if (node.computed === true) this.visit(node.key as SyntaxNode, place);
    const isArrow = node.type === 'ArrowFunctionExpression';
    const around = node.type === 'FunctionExpression' ? new Scope(boundNames(node.id), place.scope) : place.scope;
    const params = node.params as readonly SyntaxNode[];
    const scope = new Scope([...params.flatMap(boundNames), ...(isArrow ? [] : ['arguments'])], around);
    const inside = { scope, hasThis: isArrow ? place.hasThis : !isRoot };
    for (const param of params) this.visit(param, inside);
    const body = node.body as SyntaxNode;
    // Presets of parameters do not see what the body declares.
    const own = body.type === 'BlockStatement' ? varNames(body) : [];
    this.visit(body, { ...inside, scope: new Scope(own, scope) });
  }

  #structure(node: SyntaxNode, place: Place): void {
    switch (node.type) {
      case 'ClassDeclaration':
      case 'ClassExpression':
        this.#class(node, place);
        break;
      case 'ClassProperty':
      case 'ClassPrivateProperty':
      case 'ClassAccessorProperty':
        this.#field(node, place);
        break;
      case 'SwitchStatement':
        this.#switch(node, place);
        break;
      case 'LabeledStatement':
        this.visit(node.body as SyntaxNode, place);
        break;
      default:
        this.#children(node, { ...place, scope: this.#scopeIn(node, place.scope) });
    }
  }

  #children(node: SyntaxNode, place: Place): void {
    const key = node.computed === true ? undefined : KEY_FIELDS[node.type];
    for (const child of childrenOf(node, key)) this.visit(child, place);
  }

  /** The scope that a statement opens for what is in it. */
  #scopeIn(node: SyntaxNode, around: Scope): Scope {
    switch (node.type) {
      case 'BlockStatement':
        return new Scope(blockNames(node.body as readonly SyntaxNode[]), around);
      case 'StaticBlock':
        return new Scope([...blockNames(node.body as readonly SyntaxNode[]), ...varNames(node)], around);
      case 'ForStatement':
        return new Scope(blockNames([node.init].filter(isNode)), around);
      case 'ForInStatement':
      case 'ForOfStatement':
        return new Scope(blockNames([node.left].filter(isNode)), around);
      case 'CatchClause':
        return new Scope(boundNames(node.param), around);
      default:
        return around;
    }
  }

  #class(node: SyntaxNode, place: Place): void {
    const scope = new Scope(boundNames(node.id), place.scope);
    if (isNode(node.superClass)) this.visit(node.superClass, { ...place, scope });
    for (const member of (node.body as SyntaxNode).body as readonly SyntaxNode[]) {
      const hasThis = member.type === 'StaticBlock' ? true : place.hasThis;
      this.visit(member, { scope, hasThis });
    }
  }

  /** The value of a field has the object as `this`, its computed name has not. */
  #field(node: SyntaxNode, place: Place): void {
    if (node.computed === true) this.visit(node.key as SyntaxNode, place);
    if (isNode(node.value)) this.visit(node.value, { ...place, hasThis: true });
  }

  #switch(node: SyntaxNode, place: Place): void {
    this.visit(node.discriminant as SyntaxNode, place);
    const cases = node.cases as readonly SyntaxNode[];
    const declared = blockNames(cases.flatMap(({ consequent }) => consequent as readonly SyntaxNode[]));
    for (const each of cases) this.visit(each, { ...place, scope: new Scope(declared, place.scope) });
  }

  #name(node: SyntaxNode, { scope }: Place): void {
    const name = node.name as string;
    if (scope.declares(name)) return;
    if (name === 'arguments') this.#word(name, node);
    else if (!this.names.has(name)) this.names.set(name, positionOf(node));
  }

  #word(word: string, node: SyntaxNode): void {
    if (!this.words.has(word)) this.words.set(word, positionOf(node));
  }
}

function positionOf({ loc }: SyntaxNode): SourcePosition {
  return { line: loc?.start.line ?? 1, column: (loc?.start.column ?? 0) + 1 };
}
