import type { Configuration } from './configuration.ts';
import type { RegistrationSpec } from './plan.ts';

/** What evaluating an artifact showed: what it registers, and what it says about itself. */
export interface Manifest {
  readonly registrations: readonly RegistrationSpec[];
  /** Present when the source calls `configure(…)`. */
  readonly configuration?: Configuration;
}

/** What the guest reports before ids are given and anything is believed. */
export type ReportedRegistration = Omit<RegistrationSpec, 'id'> & { readonly id: string | null };
