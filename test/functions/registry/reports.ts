/** What a guest reports for `register('<prefix>')` with all defaults. */
export function streamReport(index: number, prefix: string, trigger: object = {}): Record<string, unknown> {
  return {
    ...common(index, 'StreamReader'),
    trigger: {
      kind: 'stream',
      prefix,
      batch: 1,
      durationMs: 0,
      fromId: '0',
      trimStream: false,
      onFailedPolicy: 'continue',
      retryIntervalMs: 1_000,
      maxAttempts: 5,
      maxInFlight: 10_000,
      maxAgeMs: null,
      ...trigger,
    },
  };
}

/** What a guest reports for `register({ trigger })` with all defaults. */
export function commandReport(index: number, trigger: string): Record<string, unknown> {
  return { ...common(index, 'CommandReader'), trigger: { kind: 'command', trigger, inorder: false } };
}

function common(index: number, reader: string): Record<string, unknown> {
  return {
    index,
    id: null,
    reader,
    description: null,
    mode: 'async',
    steps: [{ type: 'map', arg: 'r => r' }],
    convertToStr: true,
    collect: true,
    hasOnRegistered: false,
  };
}
