import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '../errors.ts';
import type { RegistrySnapshot } from './registry.ts';
import type { RegistryStorage, Write } from './registry-storage.ts';

/** What is to be written, and the answer once it is. No writes: all is as it should be, nothing is committed. */
export interface Change<Result> {
  readonly writes: readonly Write[];
  result(revision: number): Result;
}

const MAX_ATTEMPTS = 20;

/**
 * Changes the registry as one step: `plan` sees one revision, and its writes happen only if that is still the present one;
 * otherwise it is called again with the newer one. Whatever `plan` reads beside the snapshot is thereby of that revision.
 * Errors: what `plan` throws; REGISTRY_CONFLICT (retryable) when others are always faster.
 */
export async function changeRegistry<Result>(
  storage: RegistryStorage,
  plan: (snapshot: RegistrySnapshot) => Promise<Change<Result>>,
): Promise<Result> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const snapshot = await storage.read();
    const change = await plan(snapshot);
    if (change.writes.length === 0) return change.result(snapshot.revision);
    const revision = await storage.commit(snapshot.revision, change.writes);
    if (revision !== null) return change.result(revision);
    await sleep(Math.random() * 5 * attempt);
  }
  throw new PlatformError('REGISTRY_CONFLICT', 'the registry is being changed by others all the time; try again', {
    retryable: true,
  });
}
