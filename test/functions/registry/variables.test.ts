import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PlatformError } from '../../../functions/errors.ts';
import { createRegistryKeys } from '../../../functions/keys.ts';
import { DEFAULT_LIMITS } from '../../../functions/model/limits.ts';
import { parseManifest } from '../../../functions/model/parse-manifest.ts';
import { createRegistry } from '../../../functions/registry/create-registry.ts';
import type { LoadFunctionRequest, Registry, VariablesPlan } from '../../../functions/registry/registry.ts';
import type { StoredVariable } from '../../../functions/variables/variable.ts';
import { TOPOLOGIES, type Topology } from '../../e2e/topology.ts';
import { commandReport } from './reports.ts';

const keys = createRegistryKeys('rg:');

function variable(name: string, text: string, kind: StoredVariable['kind'] = 'env'): StoredVariable {
  return { kind, name, text, sealed: kind === 'secret', fingerprint: null, updatedAtMs: 5 };
}
const setting =
  (...set: StoredVariable[]): (() => VariablesPlan) =>
  () => ({ set, unset: [] });
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: PlatformError) => error.code,
  );

describe.each(Object.entries(TOPOLOGIES))('variables of functions on %s', (_, start) => {
  let topology: Topology;
  let registry: Registry;
  beforeAll(async () => {
    topology = await start();
  });
  beforeEach(async () => {
    await registry?.[Symbol.asyncDispose]();
    await topology.flush();
    registry = open();
    await registry.load(request('mailer', '// 1'));
  });
  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
    await topology?.[Symbol.asyncDispose]();
  });

  /** A source with `// secret NAME` asks for it. */
  function open(): Registry {
    const client = topology.client();
    const first = 'nodes' in client ? (client.nodes('master')[0] as Redis) : client;
    return createRegistry({
      client,
      openSubscriber: () => first.duplicate(),
      keys,
      inspect: async ({ functionName, artifact }) => {
        const secrets = [...artifact.source.matchAll(/secret (\w+)/g)].map(([, name]) => name);
        const configuration = { limits: limitsNull, commands: null, keys: null, settings: [], secrets };
        return parseManifest(functionName, [commandReport(0, functionName)], {
          configuration,
          runs: [],
          platformPrefix: 'rg:',
        });
      },
      streamHeads: async () => ({}),
      limits: DEFAULT_LIMITS,
      settings: {},
      caps: { versions: 10, artifactBytes: 10_000 },
      log: { warn: () => {} },
      pollMs: 50,
    });
  }

  function request(name: string, source: string, more: Partial<LoadFunctionRequest> = {}): LoadFunctionRequest {
    return { name, source, language: 'js', description: null, activate: true, sourceMap: null, ...more };
  }

  test('what was set is there for every node, and the snapshot says at which revision', async () => {
    const first = await registry.changeVariables({
      name: 'mailer',
      plan: setting(variable('A', '1'), variable('A', 'x', 'secret')),
    });
    const second = await registry.changeVariables({ name: 'mailer', plan: setting(variable('A', '2')) });
    expect(second.variablesRevision).toBeGreaterThan(first.variablesRevision);
    await using other = open();
    expect(await other.variables('mailer')).toEqual({
      revision: second.variablesRevision,
      variables: [variable('A', '2'), variable('A', 'x', 'secret')],
    });
    expect(other.snapshot().functions.get('mailer')?.variablesRevision).toBe(second.variablesRevision);
  });

  test('of two who change the same revision one is refused, and nothing of it is written', async () => {
    const { variablesRevision } = await registry.changeVariables({ name: 'mailer', plan: setting(variable('A', '1')) });
    const changes = ['2', '3'].map((text) =>
      registry.changeVariables({ name: 'mailer', ifRevision: variablesRevision, plan: setting(variable('A', text)) }),
    );
    const codes = await Promise.all(changes.map(codeOf));
    expect(codes.sort()).toEqual(['VARIABLES_CHANGED', 'resolved']);
    expect(await codeOf(registry.changeVariables({ name: 'mailer', ifRevision: 0, plan: setting() }))).toBe(
      'VARIABLES_CHANGED',
    );
  });

  test('changes at the same time all happen, one after the other', async () => {
    const names = ['A', 'B', 'C', 'D', 'E'];
    await Promise.all(
      names.map((name) => registry.changeVariables({ name: 'mailer', plan: setting(variable(name, name)) })),
    );
    expect((await registry.variables('mailer')).variables.map(({ name }) => name)).toEqual(names);
  });

  test('a new version and a roll-back keep them', async () => {
    const { variablesRevision } = await registry.changeVariables({ name: 'mailer', plan: setting(variable('A', '1')) });
    await registry.load(request('mailer', '// 2, secret KEY'));
    expect((await registry.variables('mailer')).variables).toHaveLength(1);
    expect(registry.snapshot().functions.get('mailer')).toMatchObject({ secrets: ['KEY'], variablesRevision });
    await registry.rollback('mailer', 1);
    expect(registry.snapshot().functions.get('mailer')).not.toHaveProperty('secrets');
    expect(await registry.variables('mailer')).toMatchObject({
      revision: variablesRevision,
      variables: [{ name: 'A' }],
    });
    expect((await registry.loadable('mailer', 2)).secrets).toEqual(['KEY']);
  });

  test('they go with their function, and one of the same name begins without', async () => {
    const before = await registry.changeVariables({ name: 'mailer', plan: setting(variable('K', 'sealed', 'secret')) });
    await registry.remove('mailer');
    expect(await topology.client().exists(keys.variables('mailer'))).toBe(0);
    expect(await codeOf(registry.variables('mailer'))).toBe('FUNCTION_NOT_FOUND');
    await registry.load(request('mailer', '// 1'));
    expect(await registry.variables('mailer')).toEqual({ revision: 0, variables: [] });
    const after = await registry.changeVariables({ name: 'mailer', plan: setting(variable('K', 'other', 'secret')) });
    expect(after.variablesRevision).toBeGreaterThan(before.variablesRevision);
  });

  test('a function that takes the place of another does not inherit them', async () => {
    await registry.changeVariables({ name: 'mailer', plan: setting(variable('K', 'sealed', 'secret')) });
    await registry.load(request('post', '// 3', { replaces: 'mailer' }));
    expect(await topology.client().exists(keys.variables('mailer'))).toBe(0);
    expect(await registry.variables('post')).toEqual({ revision: 0, variables: [] });
  });

  test('more than the allowed number or size is refused as a whole', async () => {
    const many = Array.from({ length: 101 }, (__, n) => variable(`V${n}`, 'x'));
    expect(await codeOf(registry.changeVariables({ name: 'mailer', plan: setting(...many) }))).toBe('ARGUMENT_INVALID');
    const large = Array.from({ length: 20 }, (__, n) => variable(`V${n}`, 'x'.repeat(16_000)));
    expect(await codeOf(registry.changeVariables({ name: 'mailer', plan: setting(...large) }))).toBe(
      'ARGUMENT_INVALID',
    );
    expect((await registry.variables('mailer')).variables).toEqual([]);
    await registry.changeVariables({ name: 'mailer', plan: setting(...many.slice(1)) });
    expect(await codeOf(registry.changeVariables({ name: 'mailer', plan: setting(variable('V0', 'x')) }))).toBe(
      'ARGUMENT_INVALID',
    );
    expect(await codeOf(registry.changeVariables({ name: 'mailer', plan: setting(variable('V7', 'y')) }))).toBe(
      'resolved',
    );
  });
});

const limitsNull = Object.fromEntries(
  ['memoryBytes', 'callMs', 'executionMs', 'outputBytes', 'commandsPerEvent', 'commandBytes', 'concurrency'].map(
    (name) => [name, null],
  ),
);
