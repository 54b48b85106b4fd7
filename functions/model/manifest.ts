import type { Configuration } from './configuration.ts';
import type { RegistrationSpec } from './plan.ts';
import type { RunSpec } from './run-spec.ts';

/** What evaluating an artifact showed: what it registers, what it runs, and what it says about itself. */
export interface Manifest {
  readonly registrations: readonly RegistrationSpec[];
  /** At most one: a source may call `run` once. */
  readonly runs: readonly RunSpec[];
  /** Present when the source calls `configure(…)`. */
  readonly configuration?: Configuration;
}

/** What the guest reports before ids are given and anything is believed. */
export type ReportedRegistration = Omit<RegistrationSpec, 'id'> & { readonly id: string | null };
