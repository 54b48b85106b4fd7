import type { Role } from './role.ts';

/** A token as it may be shown: without its secret. */
export interface TokenRecord {
  /** Public; begins the token itself. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAtMs: number;
  /** Null = never. */
  readonly expiresAtMs: number | null;
  /** At most a minute behind; null = never used. */
  readonly lastUsedAtMs: number | null;
}

export interface NewToken extends TokenRecord {
  /** What the owner sends. Not kept, so it can be shown only now. */
  readonly token: string;
}

export interface TokenRequest {
  /** For people; several tokens may have the same. 1 to 100 characters. */
  readonly name: string;
  readonly role: Role;
  /** Default: never. */
  readonly expiresInMs?: number;
}

/** Who may come in. */
export interface TokenChecks {
  /** True when there is any token, also an expired one: who has begun to use tokens does not go back to an open door unawares. */
  areThere(): Promise<boolean>;
  /** The token behind what a client sent; null when it is unknown, revoked or expired. */
  verify(token: string): Promise<TokenRecord | null>;
}

/** Bearer tokens of the HTTP door, the same for all nodes. A change is known to every node within a second. */
export interface Tokens extends TokenChecks {
  /**
   * The same by what this node has read last, when Redis does not answer within half a second; a revocation meanwhile is not known.
   * Both reject with REDIS_UNREACHABLE when it has never read any.
   */
  readonly lasting: TokenChecks;
  /** ARGUMENT_INVALID. */
  create(request: TokenRequest): Promise<NewToken>;
  /** Oldest first, expired ones included. */
  list(): Promise<readonly TokenRecord[]>;
  /** TOKEN_NOT_FOUND. */
  revoke(id: string): Promise<void>;
}
