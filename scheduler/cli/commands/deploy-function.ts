import { basename, extname } from 'node:path';
import { type BundledSource, bundleFile, PlatformError } from '#functions';
import { type DoorClient, listOf, type Reply } from '../client.ts';

/** What the door answered to a loaded function. */
export interface Deployed {
  readonly name: string;
  readonly version: number;
  readonly sha256: string;
  /** What the version registers. */
  readonly registrations: readonly string[];
}

export interface DeployRequest {
  readonly file: string;
  /** What `file` was bundled to; made now when not given. */
  readonly bundled?: BundledSource;
  /** File name without extension when not given. */
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly activate: boolean;
}

/** Bundles a file and loads it through the door. Errors: ARTIFACT_INVALID, those of RG.FUNCTION LOAD. */
export async function deployFunction(door: DoorClient, request: DeployRequest): Promise<Deployed> {
  const bundled = request.bundled ?? (await bundleFile(request.file));
  const options = [
    ...(request.description === undefined ? [] : ['DESCRIPTION', request.description]),
    ...['LANGUAGE', bundled.language],
    ...(request.activate ? [] : ['NOACTIVATE']),
  ];
  const name = functionName(request.file, request.name);
  return deployedOf(await door.call('RG.FUNCTION', 'LOAD', name, bundled.source, ...options));
}

/** The name a file is loaded under. */
export function functionName(file: string, given: string | undefined): string {
  return given ?? basename(file, extname(file));
}

/** Reads `[name, version, sha256, [registration ids]]`, the reply of LOAD and ROLLBACK. */
export function deployedOf(reply: Reply): Deployed {
  const [name, version, sha256, registrations] = listOf(reply);
  if (typeof name !== 'string' || typeof version !== 'number') {
    throw new PlatformError('PROTOCOL_ERROR', 'the door answered something else than a function and its version');
  }
  return { name, version, sha256: String(sha256), registrations: listOf(registrations).map(String) };
}
