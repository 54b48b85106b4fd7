/**
 * Keys of the registry. All share the tag `{registry}`, so that one script can touch any of them.
 *
 * | key | type | holds |
 * | --- | --- | --- |
 * | `<p>{registry}:revision` | string | counter, raised by every change |
 * | `<p>{registry}:functions` | hash | name → FunctionRecord (JSON) |
 * | `<p>{registry}:versions:<name>` | hash | version → VersionRecord (JSON) |
 * | `<p>{registry}:variables:<name>` | hash | `env:<variable>` or `secret:<variable>` → StoredVariable (JSON without kind and name) |
 * | `<p>{registry}:artifacts` | hash | sha256 → Artifact (JSON), shared by versions with the same source |
 * | `<p>{registry}:registrations` | hash | registration id → ActiveRegistration (JSON, without routes) |
 * | `<p>{registry}:routes:<registration id>` | list | Route (JSON), oldest first |
 * | `<p>{registry}:numbers` | hash | name of a removed function → greatest version number it had |
 * | `<p>{registry}:commit` | string | token of the last change, so that one sent twice is carried out once |
 * | `<p>{registry}:epoch` | string | random text, given with the first change: another one means another registry (FLUSHALL) |
 * | `<p>{registry}:changes` | channel | new revision after every change |
 */
export interface RegistryKeys {
  readonly revision: string;
  readonly functions: string;
  readonly artifacts: string;
  readonly registrations: string;
  readonly numbers: string;
  readonly commit: string;
  readonly epoch: string;
  readonly changes: string;
  versions(functionName: string): string;
  routes(registrationId: string): string;
  variables(functionName: string): string;
}

/** @param prefix begin of every platform key, such as `rg:`. */
export function createRegistryKeys(prefix: string): RegistryKeys {
  const base = `${prefix}{registry}:`;
  return {
    revision: `${base}revision`,
    functions: `${base}functions`,
    artifacts: `${base}artifacts`,
    registrations: `${base}registrations`,
    numbers: `${base}numbers`,
    commit: `${base}commit`,
    epoch: `${base}epoch`,
    changes: `${base}changes`,
    versions: (functionName) => `${base}versions:${functionName}`,
    routes: (registrationId) => `${base}routes:${registrationId}`,
    variables: (functionName) => `${base}variables:${functionName}`,
  };
}
