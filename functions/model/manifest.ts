import type { RegistrationSpec } from './plan.ts';
import type { RunSpec } from './run-spec.ts';

/** What evaluating an artifact showed: what it registers and what it runs. */
export interface Manifest {
  readonly registrations: readonly RegistrationSpec[];
  /** At most one: a source may call `run` once. */
  readonly runs: readonly RunSpec[];
}

/** What the guest reports before ids are given and anything is believed. */
export type ReportedRegistration = Omit<RegistrationSpec, 'id'> & { readonly id: string | null };
