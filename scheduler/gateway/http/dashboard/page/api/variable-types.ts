/** A value that a function reads by name; what is secret comes without it. */
export interface Variable {
  readonly name: string;
  readonly value?: string | null;
  readonly readable: boolean;
  readonly sealed: boolean;
  readonly fingerprint: string | null;
  readonly updatedAtMs: number;
}

/** Variables of one kind. */
export interface Variables {
  /** Of all variables of the function. */
  readonly revision: number;
  readonly items: readonly Variable[];
  /** Secrets only: asked for, and not set. */
  readonly missing?: readonly string[];
}
