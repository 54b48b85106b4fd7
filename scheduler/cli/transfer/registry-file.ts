import { createHash } from 'node:crypto';
import { hashSource, type SourceLanguage } from '#functions';

/**
 * A registry as a file: lines of JSON, UTF-8. The first one is the head, then comes each function followed by its versions, oldest
 * first; the last one holds the SHA-256 of all bytes before it. Functions stand in the order in which they were made.
 * docs/export.md describes it for other programs.
 */
export interface RegistryFile {
  /** Functions and versions, as many as follow. */
  readonly head: RegistryHead;
  readonly functions: readonly ExportedFunction[];
}

export const FORMAT = 'regears-registry';
export const FORMAT_VERSION = 1;

export interface RegistryHead {
  readonly format: typeof FORMAT;
  readonly formatVersion: number;
  /** ISO time. */
  readonly exportedAt: string;
  /** Version of the program that wrote the file. */
  readonly writtenBy: string;
  readonly functions: number;
  readonly versions: number;
}

export interface ExportedFunction {
  readonly name: string;
  readonly description: string | null;
  /** Null: none is in force. */
  readonly activeVersion: number | null;
  readonly createdAtMs: number;
  /** Those in force; of the active version's others somebody has unregistered. */
  readonly registrations: readonly ExportedRegistration[];
  readonly versions: readonly ExportedVersion[];
}

export interface ExportedRegistration {
  readonly id: string;
  /** `running`, `paused`, `aborted` or `quarantined`. */
  readonly state: string;
}

export interface ExportedVersion {
  readonly version: number;
  readonly language: SourceLanguage;
  /** Of language and source, as the platform names artifacts. */
  readonly sha256: string;
  readonly description: string | null;
  readonly createdAtMs: number;
  readonly source: string;
}

/** True when the source is what its sum says. */
export function hasItsSum({
  source,
  language,
  sha256,
}: Pick<ExportedVersion, 'source' | 'language' | 'sha256'>): boolean {
  return hashSource(source, language) === sha256;
}

/** The sum that the last line holds: lower-case hex. */
export function sumOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
