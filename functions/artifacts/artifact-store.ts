import { PlatformError } from '../errors.ts';
import type { Artifact, SourceLanguage } from './artifact.ts';

/** The one command the store needs. */
export interface HashReader {
  hget(key: string, field: string): Promise<string | null>;
}

export interface ArtifactStore {
  /** null when no such artifact is kept. */
  get(sha256: string): Promise<Artifact | null>;
}

interface StoredArtifact {
  readonly language: SourceLanguage;
  readonly source: string;
  /** null = the source itself. */
  readonly code: string | null;
  readonly sourceMap: string | null;
}

/** Text under which an artifact is kept. Code that is the source is not kept twice. */
export function encodeArtifact(artifact: Artifact): string {
  const { language, source, code, sourceMap } = artifact;
  const stored: StoredArtifact = { language, source, code: code === source ? null : code, sourceMap };
  return JSON.stringify(stored);
}

/** Reads artifacts from the hash `key`; they are written with the version that needs them. */
export function createArtifactStore(reader: HashReader, key: string): ArtifactStore {
  return {
    async get(sha256) {
      const text = await reader.hget(key, sha256);
      return text === null ? null : decodeArtifact(sha256, text);
    },
  };
}

function decodeArtifact(sha256: string, text: string): Artifact {
  try {
    const { language, source, code, sourceMap } = JSON.parse(text) as StoredArtifact;
    return { sha256, language, source, code: code ?? source, sourceMap };
  } catch (reason) {
    throw new PlatformError('ARTIFACT_INVALID', `the stored artifact ${sha256} cannot be read`, { cause: reason });
  }
}
