import { Type } from 'typebox';
import { ROLES } from '../../../tokens/role.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { wholeList } from '../paging.ts';
import { defineRoute, type HttpRoute } from '../route.ts';
import { AtMs, OrNull, pageOf, shape, words } from '../schemas/parts.ts';

const area = 'Tokens';
const TOKEN = {
  id: Type.String(),
  name: Type.String(),
  role: words(ROLES),
  createdAtMs: AtMs,
  expiresAtMs: OrNull.atMs,
  lastUsedAtMs: OrNull.atMs,
};

/** Bearer tokens. */
export function tokenRoutes({ tokens }: HttpDependencies): readonly HttpRoute[] {
  return [
    defineRoute({
      ...{ method: 'GET', path: '/v1/tokens', role: 'admin', area },
      summary: 'List tokens',
      answers: { 200: { description: 'Tokens, oldest first', schema: pageOf(shape(TOKEN, 'Token')) } },
      handle: async () => ({ body: wholeList(await tokens.list()) }),
    }),
    defineRoute({
      ...{ method: 'POST', path: '/v1/tokens', role: 'admin', area },
      summary: 'Make a token',
      description: 'The token itself is shown once. From the first one on every request needs one.',
      body: shape({
        name: Type.String({ minLength: 1, maxLength: 100 }),
        role: words(ROLES),
        expiresInMs: Type.Optional(Type.Integer({ minimum: 1_000 })),
      }),
      answers: {
        201: { description: 'The token', schema: shape({ ...TOKEN, token: Type.String() }, 'NewToken') },
      },
      handle: async ({ body }) => ({ status: 201, body: await tokens.create(body) }),
    }),
    defineRoute({
      ...{ method: 'DELETE', path: '/v1/tokens/{id}', role: 'admin', area },
      summary: 'Revoke a token',
      params: { id: Type.String({ minLength: 1, maxLength: 100 }) },
      answers: { 204: { description: 'It is no longer good' } },
      async handle({ params }) {
        await tokens.revoke(params.id);
        return {};
      },
    }),
  ];
}
