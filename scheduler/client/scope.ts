/** A node of a syntax tree. */
export interface SyntaxNode {
  readonly type: string;
  readonly loc?: { readonly start: { readonly line: number; readonly column: number } } | null;
  readonly [field: string]: unknown;
}

/** Names that are declared somewhere, and what is around. */
export class Scope {
  readonly #names: ReadonlySet<string>;
  readonly #around: Scope | null;

  constructor(names: Iterable<string>, around: Scope | null) {
    this.#names = new Set(names);
    this.#around = around;
  }

  declares(name: string): boolean {
    return this.#names.has(name) || (this.#around?.declares(name) ?? false);
  }
}

const FUNCTIONS: ReadonlySet<string> = new Set([
  'ArrowFunctionExpression',
  'FunctionExpression',
  'FunctionDeclaration',
  'ObjectMethod',
  'ClassMethod',
  'ClassPrivateMethod',
]);

export function isFunction(node: SyntaxNode): boolean {
  return FUNCTIONS.has(node.type);
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string';
}

/** The nodes directly below one, in the order of the source. */
export function childrenOf(node: SyntaxNode, except?: string): readonly SyntaxNode[] {
  return Object.entries(node).flatMap(([field, value]) => {
    if (field === except || field.endsWith('Comments')) return [];
    return (Array.isArray(value) ? value : [value]).filter(isNode);
  });
}

/** Names that a pattern binds. */
export function boundNames(pattern: unknown): readonly string[] {
  if (!isNode(pattern)) return [];
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name as string];
    case 'ObjectPattern':
      return (pattern.properties as readonly SyntaxNode[]).flatMap((each) =>
        boundNames(each.type === 'RestElement' ? each : each.value),
      );
    case 'ArrayPattern':
      return (pattern.elements as readonly unknown[]).flatMap(boundNames);
    case 'AssignmentPattern':
      return boundNames(pattern.left);
    case 'RestElement':
      return boundNames(pattern.argument);
    default:
      return [];
  }
}

function namesOfDeclaration(declaration: SyntaxNode): readonly string[] {
  return (declaration.declarations as readonly SyntaxNode[]).flatMap(({ id }) => boundNames(id));
}

/** What the statements of a block declare for this block. */
export function blockNames(statements: readonly SyntaxNode[]): readonly string[] {
  return statements.flatMap((statement) => {
    if (statement.type === 'VariableDeclaration' && statement.kind !== 'var') return namesOfDeclaration(statement);
    const isNamed = statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration';
    return isNamed ? boundNames(statement.id) : [];
  });
}

/** What `var` declares below a node for the function around. */
export function varNames(node: SyntaxNode): readonly string[] {
  const own = node.type === 'VariableDeclaration' && node.kind === 'var' ? namesOfDeclaration(node) : [];
  const inside = childrenOf(node).filter((child) => !isFunction(child) && child.type !== 'StaticBlock');
  return [...own, ...inside.flatMap(varNames)];
}
