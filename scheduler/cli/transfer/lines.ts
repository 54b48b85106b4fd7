import { hashSource, PlatformError, type SourceLanguage } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';

/** One line of an export. */
export interface TextLine {
  /** With its line feed. */
  readonly bytes: Buffer;
  /** What it says; REGISTRY_FILE_INVALID when that is no JSON object. */
  object(): Readonly<Record<string, unknown>>;
  /** REGISTRY_FILE_INVALID when it holds a source and its sum, and they do not fit. */
  checkSource(): void;
  /** A REGISTRY_FILE_INVALID that names the line. */
  refuse(why: string): PlatformError;
}

const LINE_FEED = 0x0a;

/** REGISTRY_FILE_INVALID when the last one has no end. */
export function readLines(bytes: Buffer, name: string): readonly TextLine[] {
  const lines: TextLine[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(LINE_FEED, from);
    const line = textLine(bytes.subarray(from, end < 0 ? bytes.length : end + 1), lines.length + 1, name);
    if (end < 0) throw line.refuse('the line has no end: the file has been cut off');
    lines.push(line);
    from = end + 1;
  }
  return lines;
}

function textLine(bytes: Buffer, number: number, name: string): TextLine {
  const refuse = (why: string): PlatformError =>
    new PlatformError<SchedulerErrorCode>('REGISTRY_FILE_INVALID', `${name}, line ${number}: ${why}`, {
      details: { file: name, line: number },
    });
  const object = (): Readonly<Record<string, unknown>> => {
    const found = parsed(bytes);
    if (found === undefined) throw refuse('this is no JSON');
    if (typeof found !== 'object' || found === null || Array.isArray(found)) throw refuse('this is no JSON object');
    return found as Readonly<Record<string, unknown>>;
  };
  return {
    bytes,
    refuse,
    object,
    checkSource() {
      const { version } = object();
      if (typeof version !== 'object' || version === null) return;
      const { source, language, sha256 } = version as Readonly<Record<string, unknown>>;
      if (typeof source !== 'string' || hashSource(source, language as SourceLanguage) === sha256) return;
      throw refuse('the source is not the one that its sha256 was made of');
    },
  };
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return undefined; // neither UTF-8 nor JSON has a place for it
  }
}
