import { RemoteError, type SourcePosition, type StepPlace, showStep } from './errors.ts';
import type { Script, ScriptPlace } from './script.ts';

const FRAME = /^\s+at /;
const FRAME_PLACE = /:(\d+):(\d+)\)?$/;
/** `TypeError: …` or `LIMIT_CALL_TIME: …` */
const NAMED = /^(\w+): (.*)$/s;
const CODE = /^[A-Z]+(?:_[A-Z]+)+$/;
/** What the platform refused, behind the name that the error has in the function. */
const INNER_CODE = /^([A-Z]+(?:_[A-Z]+)+) (.*)$/s;
/** `map: the argument … (script-8fdec100.js:1:6)` */
const COMPLAINT_PLACE = / \([\w-]+\.js:(\d+):(\d+)\)$/;

/** What became of a record that failed, from the text the platform has for it. */
export function runError(text: string, script: Script): RemoteError {
  const lines = text.split('\n');
  const firstFrame = lines.findIndex((line) => FRAME.test(line));
  const title = (firstFrame === -1 ? lines : lines.slice(0, firstFrame)).join('\n');
  const places = (firstFrame === -1 ? [] : lines.slice(firstFrame)).map((line) =>
    placeOf(FRAME_PLACE.exec(line), script),
  );
  const place = places.find((each) => each !== undefined);
  const { code, message } = codeOf(title);
  return new RemoteError(code, `${message}${showPlace(place)}`, { ...told(place), details: { text } });
}

/** An error reply to a script that says where: the same error with the step. */
export function scriptError(error: unknown, script: Script): unknown {
  if (!(error instanceof RemoteError)) return error;
  const match = COMPLAINT_PLACE.exec(error.message);
  const place = placeOf(match, script);
  if (match === null || place === undefined) return error;
  const message = `${error.message.slice(0, match.index)}${showPlace(place)}`;
  return new RemoteError(error.code, message, { cause: error.cause, ...told(place), details: error.details });
}

function codeOf(title: string): { readonly code: string; readonly message: string } {
  if (title === 'Execution aborted') return { code: 'EXECUTION_ABORTED', message: title };
  const [, name = '', message = title] = NAMED.exec(title) ?? [];
  if (CODE.test(name)) return { code: name, message };
  const [, code, inner] = INNER_CODE.exec(message) ?? [];
  if (code !== undefined && inner !== undefined) return { code, message: inner };
  return { code: 'GUEST_ERROR', message: title };
}

function placeOf(match: RegExpExecArray | null, script: Script): ScriptPlace | undefined {
  return match === null ? undefined : script.placeAt(Number(match[1]), Number(match[2]));
}

function told(place: ScriptPlace | undefined): { step: StepPlace | undefined; position: SourcePosition | undefined } {
  return { step: place?.step, position: place?.position };
}

function showPlace(place: ScriptPlace | undefined): string {
  if (place === undefined) return '';
  const { step, position, source } = place;
  if (position === undefined) return ` (${showStep(step)})`;
  const shown = source.length > 100 ? `${source.slice(0, 100)}…` : source;
  return ` (${showStep(step)} at ${position.line}:${position.column}: ${shown})`;
}
