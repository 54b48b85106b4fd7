import { type Activation, type Heads, needsHeads, planActivation } from './activation.ts';
import type { RegistrySnapshot, Rewind, VersionRecord } from './registry.ts';
import type { RegistryContext } from './registry-context.ts';
import { eraseRegistration, type Write, writeRegistration } from './registry-storage.ts';

export interface PutInForceRequest {
  readonly snapshot: RegistrySnapshot;
  readonly version: VersionRecord;
  readonly replaces: string | null;
  readonly rewind: Rewind | null;
  readonly nowMs: number;
  /** True: registrations come into force paused. Default false. */
  readonly startsPaused?: boolean;
}

/** The writes that put a version in force, and what is in force then. Errors: REGISTRATION_CONFLICT, those of Redis. */
export async function putInForce(
  { keys, streamHeads }: RegistryContext,
  request: PutInForceRequest,
): Promise<{ readonly writes: readonly Write[]; readonly activation: Activation }> {
  const heads = new Map<string, Heads>();
  for (const spec of needsHeads(request.snapshot, request.version, request.rewind !== null)) {
    heads.set(spec.id, await streamHeads(spec));
  }
  const activation = planActivation({ ...request, heads });
  const writes = [
    ...activation.erased.flatMap((id) => eraseRegistration(keys, id)),
    ...activation.written.flatMap((registration) => writeRegistration(keys, registration)),
  ];
  return { writes, activation };
}
