import type { Operation } from './operation.ts';

/** Every management command, found by name. */
export interface OperationTable {
  /** Any case. */
  find(name: string): Operation | undefined;
  /** In the order of the help text. */
  readonly all: readonly Operation[];
}

/** Makes a table of operations; a later one of the same name replaces an earlier one. */
export function tableOf(operations: readonly Operation[]): OperationTable {
  const byName = new Map(operations.map((operation) => [operation.name, operation]));
  return { find: (name) => byName.get(name.toUpperCase()), all: [...byName.values()] };
}
