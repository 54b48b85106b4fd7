import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import type { HttpRoute } from './route.ts';

/** Version of the API: its first path segment. */
const API_VERSION = '1.0.0';

interface DocumentedRoute {
  readonly config?: { readonly documentedBody?: object };
}

/** How the OpenAPI document is made of the routes. */
export const OPENAPI: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'ReGears',
      version: API_VERSION,
      description:
        'Functions on Redis Streams: look at the platform and operate it. Errors are problem documents (RFC 9457).',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'Made with `regears token create`; not asked for while there is none',
        },
      },
    },
  },
  hideUntagged: true,
  transform({ schema, url, route }) {
    const documented = (route as DocumentedRoute).config?.documentedBody;
    return { schema: documented === undefined ? schema : { ...schema, body: documented }, url };
  },
};

interface DocumentedOperation {
  operationId?: string;
  'x-role'?: string;
  readonly requestBody?: { required?: boolean };
}

/** The document of the routes, as JSON text. */
export function openApiText(app: FastifyInstance, routes: readonly HttpRoute[]): string {
  const document = structuredClone(app.swagger()) as unknown as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  };
  for (const route of routes) {
    const operation = document.paths[route.path]?.[route.method.toLowerCase()];
    if (operation === undefined) continue;
    operation.operationId = operationId(route);
    if (route.role !== null) operation['x-role'] = route.role;
    const isOptional = route.bodyOptional === true || route.payload?.optional === true;
    if (operation.requestBody !== undefined) operation.requestBody.required = !isOptional;
  }
  return JSON.stringify(document);
}

/** `GET /v1/functions/{name}` is `getFunctionsByName`. */
export function operationId({ method, path }: Pick<HttpRoute, 'method' | 'path'>): string {
  const words = path
    .replace(/^\/v1/, '')
    .split(/[/-]/)
    .filter((word) => word !== '');
  const named = words.map((word) => {
    const name = word.replace(/[{}]/g, '');
    const capital = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    return word.startsWith('{') ? `By${capital}` : capital;
  });
  return `${method.toLowerCase()}${named.join('')}`;
}

/** Body as it stands in the document: every type that is taken, while JSON alone is checked by schema. */
export function documentedBody({ body, payload }: HttpRoute): object | undefined {
  if (payload === undefined)
    return body === undefined ? undefined : { content: { 'application/json': { schema: body } } };
  const content: Record<string, object> = {};
  if (payload.json !== undefined) content['application/json'] = { schema: payload.json };
  if (payload.multipart) content['multipart/form-data'] = { schema: { type: 'object', additionalProperties: true } };
  for (const type of payload.raw) if (type !== '') content[type] = { schema: { type: 'string' } };
  return { content };
}
