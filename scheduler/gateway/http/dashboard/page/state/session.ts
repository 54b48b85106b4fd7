import { type ReadonlySignal, signal } from '@preact/signals';
import type { Api } from '../api/client.ts';
import { type Problem, problemOf } from '../api/problem.ts';
import type { Me, Role } from '../api/types.ts';

/** `opening`: not known yet; `asking`: the API wants a token; `open`: `me` is known. */
export type SessionPhase = 'opening' | 'asking' | 'open';

/** Who the page is towards the API. */
export interface Session {
  readonly phase: ReadonlySignal<SessionPhase>;
  readonly me: ReadonlySignal<Me | null>;
  /** Why the newest attempt to open it failed; null when it did not. */
  readonly problem: ReadonlySignal<Problem | null>;
  token(): string | null;
  /** Asks who we are; again by itself while the node is not reachable. */
  open(api: Api): Promise<void>;
  /** Keeps a token, on this device when asked to, else as long as the tab lives. Call `open` next. */
  enter(token: string, remember: boolean): void;
  /** Forgets the token and asks for one. */
  leave(): void;
  /** The API has refused the token. */
  refused(): void;
  can(role: Role): boolean;
}

const KEY = 'regears-token';
const RANK: Readonly<Record<Role, number>> = { read: 0, invoke: 1, admin: 2 };
const RETRY_MS = 2_000;

export function createSession(): Session {
  const phase = signal<SessionPhase>('opening');
  const me = signal<Me | null>(null);
  const problem = signal<Problem | null>(null);
  const open = async (api: Api): Promise<void> => {
    try {
      me.value = await api.get<Me>('/v1/me');
      problem.value = null;
      phase.value = 'open';
    } catch (error) {
      problem.value = problemOf(error);
      if (problem.value.status === 401) return;
      setTimeout(() => void open(api), RETRY_MS);
    }
  };
  return {
    phase,
    me,
    problem,
    token: () => sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY),
    open,
    enter: (token, remember) => {
      sessionStorage.removeItem(KEY);
      localStorage.removeItem(KEY);
      (remember ? localStorage : sessionStorage).setItem(KEY, token);
    },
    leave: () => {
      problem.value = null;
      sessionStorage.removeItem(KEY);
      localStorage.removeItem(KEY);
      me.value = null;
      phase.value = 'asking';
    },
    refused: () => {
      me.value = null;
      phase.value = 'asking';
    },
    can: (role) => me.value !== null && RANK[me.value.role] >= RANK[role],
  };
}
