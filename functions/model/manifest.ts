import type { RegistrationSpec } from './plan.ts';

/** What evaluating an artifact showed: what it registers. */
export interface Manifest {
  readonly registrations: readonly RegistrationSpec[];
}

/** What the guest reports before ids are given and anything is believed. */
export type ReportedRegistration = Omit<RegistrationSpec, 'id'> & { readonly id: string | null };
