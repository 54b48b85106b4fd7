import type { Redactor } from '#functions';
import type { GuestError } from '../invocation.ts';

/** What leaves an isolate for people's eyes, without the values of its secrets. Each is as it was where it has none. */
export function redactedError(error: GuestError, redactor: Redactor | null): GuestError {
  if (redactor === null) return error;
  const { code, name, message, stack } = error;
  return { code, name: redactor.text(name), message: redactor.text(message), stack: redactor.text(stack) };
}

export function redactedLines<Line extends { readonly message: string }>(
  lines: readonly Line[],
  redactor: Redactor | null,
): readonly Line[] {
  if (redactor === null) return lines;
  return lines.map((line) => ({ ...line, message: redactor.text(String(line.message)) }));
}

/** RESP texts. */
export function redactedResults(results: readonly string[], redactor: Redactor | null): readonly string[] {
  return redactor === null ? results : results.map((result) => redactor.resp(result));
}
