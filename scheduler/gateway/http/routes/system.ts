import { Type } from 'typebox';
import { runChecks } from '../../operations/doctor.ts';
import { listOptions, setOption } from '../../operations/option-reports.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { wholeList } from '../paging.ts';
import { defineRoute, type HttpRoute } from '../route.ts';
import { nullable, OrNull, pageOf, shape, words } from '../schemas/parts.ts';

const area = 'System';
const STATES = ['ok', 'warning', 'bad'] as const;

const CheckShape = shape({ check: Type.String(), state: words(STATES), finding: Type.String(), advice: OrNull.text });
const OptionShape = shape(
  {
    name: Type.String(),
    value: nullable(Type.String()),
    changeable: Type.Boolean(),
    note: OrNull.text,
  },
  'Option',
);
const ConfigShape = shape({
  nodeId: Type.String(),
  settings: Type.Array(
    shape({
      name: Type.String(),
      value: Type.Unknown(),
      shown: Type.String(),
      origin: words(['flag', 'environment', 'file', 'default', 'program']),
      default: Type.String(),
      description: Type.String(),
    }),
  ),
  options: Type.Array(OptionShape),
});

/** Configuration, doctor, commands, and who one is. */
export function systemRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  return [...configRoutes(dependencies), ...aboutRoutes(dependencies)];
}

function configRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  const { fleet, shownSettings } = dependencies;
  return [
    defineRoute({
      ...{ method: 'GET', path: '/v1/config', role: 'read', area },
      summary: 'Settings in force on this node with their origins, and options of the fleet',
      answers: { 200: { description: 'Secrets are masked', schema: ConfigShape } },
      async handle() {
        const options = await listOptions(dependencies);
        return { body: { nodeId: fleet.self.nodeId, settings: shownSettings, options } };
      },
    }),
    defineRoute({
      ...{ method: 'PUT', path: '/v1/config/options/{name}', role: 'admin', area },
      summary: 'Set an option for all nodes',
      params: { name: Type.String({ minLength: 1, maxLength: 200 }) },
      body: shape({ value: Type.String({ maxLength: 10_000 }) }),
      answers: { 200: { description: 'The option', schema: OptionShape } },
      handle: async ({ params, body }) => ({ body: await setOption(dependencies, params.name, body.value) }),
    }),
    defineRoute({
      ...{ method: 'GET', path: '/v1/doctor', role: 'read', area },
      summary: 'Is everything around the platform as it should be?',
      answers: {
        200: { description: 'Findings', schema: shape({ state: words(STATES), checks: Type.Array(CheckShape) }) },
      },
      async handle() {
        const checks = await runChecks(dependencies);
        const worst = Math.max(0, ...checks.map(({ state }) => STATES.indexOf(state)));
        return { body: { state: STATES[worst], checks } };
      },
    }),
  ];
}

function aboutRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  const { operations, fleet, version } = dependencies;
  return [
    defineRoute({
      ...{ method: 'GET', path: '/v1/commands', role: 'read', area },
      summary: 'Management commands of the RESP door',
      answers: {
        200: {
          description: 'Commands',
          schema: pageOf(shape({ name: Type.String(), summary: Type.String(), syntax: Type.Array(Type.String()) })),
        },
      },
      handle: () => ({
        body: wholeList(operations.all.map(({ name, summary, syntax }) => ({ name, summary, syntax }))),
      }),
    }),
    defineRoute({
      ...{ method: 'GET', path: '/v1/me', role: 'read', area },
      summary: 'Who the caller is, and which node answers',
      answers: {
        200: {
          description: 'The caller',
          schema: shape({
            authentication: words(['open', 'token']),
            role: words(['read', 'invoke', 'admin']),
            name: OrNull.text,
            nodeId: Type.String(),
            version: Type.String(),
          }),
        },
      },
      handle({ caller }) {
        const authentication = caller.tokenId === null ? 'open' : 'token';
        const { role, name } = caller;
        return { body: { authentication, role, name, nodeId: fleet.self.nodeId, version } };
      },
    }),
  ];
}
