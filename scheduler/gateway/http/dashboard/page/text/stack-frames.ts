/** A place in the user's source that an error names. */
export interface Frame {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const PLACE = /(?:^|[\s(@])((?:[\w.$-]+\/)*[\w.$-]+\.(?:ts|tsx|js|mjs|cjs|mts|cts)|<?[\w.$-]+>?):(\d+):(\d+)/g;

/** The places that a stack names, innermost first. */
export function framesOf(stack: string | null): readonly Frame[] {
  if (stack === null) return [];
  return [...stack.matchAll(PLACE)].map(([, file = '', line, column]) => ({
    file,
    line: Number(line),
    column: Number(column),
  }));
}
