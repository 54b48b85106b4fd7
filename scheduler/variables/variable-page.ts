import { type KeyRing, type LoadableVersion, PlatformError, type StoredVariables } from '#functions';
import type { GuestVariables } from '#runtime';

/** The variables of one function at one revision, opened. */
export interface VariablePage {
  readonly revision: number;
  /** Of the secrets that could be opened: name and value. */
  readonly secrets: ReadonlyMap<string, string>;
  /** What a version may read. Throws SECRET_MISSING, SECRET_UNREADABLE. */
  of(target: Pick<LoadableVersion, 'version' | 'secrets'>): GuestVariables;
  /** Why a version that asks for these secrets must not run; null when it may. */
  reasonAgainst(wanted: readonly string[]): PlatformError | null;
}

/** Opens everything at once; what cannot be opened is an error only for versions that would read it. */
export function openPage(functionName: string, stored: StoredVariables, keyRing: KeyRing): VariablePage {
  const env: Record<string, string> = Object.create(null) as Record<string, string>;
  const secrets = new Map<string, string>();
  const failures = new Map<string, PlatformError>();
  for (const { kind, name, text, sealed } of stored.variables) {
    try {
      // A secret that somebody wrote into Redis unsealed is none.
      const value = sealed || kind === 'secret' ? keyRing.open({ functionName, kind, name }, text) : text;
      if (kind === 'env') env[name] = value;
      else secrets.set(name, value);
    } catch (reason) {
      failures.set(`${kind} ${name}`, PlatformError.from(reason, 'SECRET_UNREADABLE'));
    }
  }
  const unreadableEnv = [...failures].find(([which]) => which.startsWith('env '))?.[1];
  const reasonAgainst = (wanted: readonly string[]): PlatformError | null => {
    if (unreadableEnv !== undefined) return unreadableEnv;
    for (const name of wanted) {
      const failure = failures.get(`secret ${name}`);
      if (failure !== undefined) return failure;
      if (!secrets.has(name)) return missing(functionName, name);
    }
    return null;
  };
  const byVersion = new Map<number, GuestVariables>();
  return {
    revision: stored.revision,
    secrets,
    reasonAgainst,
    of({ version, secrets: wanted = [] }) {
      const known = byVersion.get(version);
      if (known !== undefined) return known;
      const reason = reasonAgainst(wanted);
      if (reason !== null) throw reason;
      const own = Object.fromEntries(wanted.map((name) => [name, secrets.get(name) as string]));
      const variables = { env, secrets: own };
      byVersion.set(version, variables);
      return variables;
    },
  };
}

function missing(functionName: string, name: string): PlatformError {
  const message = `${functionName} asks for the secret ${name}, which is not set; set it with \`regears secret set ${functionName} ${name}\`, and what waits runs`;
  return new PlatformError('SECRET_MISSING', message, { details: { functionName, name } });
}
