import { type Static, Type } from 'typebox';
import type { VariableKind } from '#functions';
import { changeVariables, listVariables, rotateVariables } from '../../operations/variables.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { defineRoute, type HttpRoute } from '../route.ts';
import { AtMs, FunctionName, OrNull, shape } from '../schemas/parts.ts';

const area = 'Environment and secrets';
const name = FunctionName;
const Name = Type.String({
  minLength: 1,
  maxLength: 128,
  description: 'letters, digits and underscores, no digit first',
});
const Stand = {
  readable: Type.Boolean({ description: 'false: this node cannot open it' }),
  sealed: Type.Boolean({ description: 'false: it lies in Redis as it is' }),
  fingerprint: OrNull.text,
  updatedAtMs: AtMs,
};
const VariablesRevision = Type.Integer({
  minimum: 0,
  description: "of the function's variables; 0 = none was ever set",
});
const EnvShape = shape(
  { revision: VariablesRevision, items: Type.Array(shape({ name: Name, value: OrNull.text, ...Stand }, 'Variable')) },
  'Environment',
);
const SecretsShape = shape(
  {
    revision: VariablesRevision,
    items: Type.Array(shape({ name: Name, ...Stand }, 'Secret')),
    missing: Type.Array(Name, { description: 'asked for by the active version, and not set' }),
  },
  'Secrets',
);
const ChangeBody = shape({
  set: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'values by name' })),
  unset: Type.Optional(Type.Array(Name, { maxItems: 100 })),
  revision: Type.Optional(
    Type.Integer({ minimum: 0, description: '412 unless the variables are at it; left out = whatever they are' }),
  ),
});
const ChangedShape = shape(
  { revision: VariablesRevision, registryRevision: Type.Integer({ description: 'applied by every live node' }) },
  'VariablesChanged',
);
const RotatedShape = shape(
  {
    keyId: Type.String({ description: 'of the key that seals now' }),
    sealed: Type.Integer({ description: 'how many were sealed anew' }),
    unreadable: Type.Array(Type.String(), { description: 'function, kind and name of those this node cannot open' }),
  },
  'Rotated',
);

/** Environment and secrets of functions. */
export function variableRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  return [...envRoutes(dependencies), ...secretRoutes(dependencies)];
}

function envRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  return [
    defineRoute({
      ...{ method: 'GET', path: '/v1/functions/{name}/env', role: 'read', area },
      summary: 'List the environment of a function',
      params: { name },
      answers: { 200: { description: 'Variables by name, with their values', schema: EnvShape } },
      async handle({ params }) {
        const { revision, variables } = await listVariables(dependencies, params.name, 'env');
        return { body: { revision, items: variables } };
      },
    }),
    defineRoute({
      ...{ method: 'POST', path: '/v1/functions/{name}/env', role: 'admin', area },
      summary: 'Change the environment of a function',
      description: 'All of it or nothing. The function reads new values from its next `env(name)` on.',
      params: { name },
      body: ChangeBody,
      answers: { 200: { description: 'Every live node has it', schema: ChangedShape } },
      handle: (request) => change(dependencies, 'env', request),
    }),
  ];
}

function secretRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  return [
    defineRoute({
      ...{ method: 'GET', path: '/v1/functions/{name}/secrets', role: 'read', area },
      summary: 'List the secrets of a function',
      description: 'Names and fingerprints. No route gives the value of a secret back.',
      params: { name },
      answers: { 200: { description: 'Secrets by name', schema: SecretsShape } },
      async handle({ params }) {
        const { revision, variables, missing } = await listVariables(dependencies, params.name, 'secret');
        return { body: { revision, items: variables.map(({ value: _never, ...shown }) => shown), missing } };
      },
    }),
    defineRoute({
      ...{ method: 'POST', path: '/v1/functions/{name}/secrets', role: 'admin', area },
      summary: 'Change the secrets of a function',
      description: 'All of it or nothing. The function reads new values from its next `secret(name)` on.',
      params: { name },
      body: ChangeBody,
      answers: { 200: { description: 'Every live node has it', schema: ChangedShape } },
      handle: (request) => change(dependencies, 'secret', request),
    }),
    defineRoute({
      ...{ method: 'POST', path: '/v1/secrets/rotate', role: 'admin', area },
      summary: 'Seal everything with the first key',
      description: 'Of the node that is asked. What an older key has sealed is sealed anew; values stay as they are.',
      deadlineMs: 60_000,
      answers: { 200: { description: 'It is sealed', schema: RotatedShape } },
      handle: async () => ({ body: await rotateVariables(dependencies) }),
    }),
  ];
}

async function change(
  dependencies: HttpDependencies,
  kind: VariableKind,
  { params, body }: { readonly params: { readonly name: string }; readonly body: Static<typeof ChangeBody> },
) {
  const { set = {}, unset = [], revision: ifRevision } = body;
  const wish = { functionName: params.name, kind, set, unset: [...new Set(unset)], ifRevision };
  return { body: await changeVariables(dependencies, wish) };
}
