import { resolveSettings } from '../scheduler/config.ts';
import type { HttpDependencies } from '../scheduler/gateway/http/dependencies.ts';
import { ERROR_STATUS } from '../scheduler/gateway/http/error-status.ts';
import { mediaTypesOf } from '../scheduler/gateway/http/mount-routes.ts';
import type { HttpRoute } from '../scheduler/gateway/http/route.ts';
import { createRoutes } from '../scheduler/gateway/http/routes/index.ts';

/** The parts of a JSON schema that the documents show. */
interface Schema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

const WIDTH = 120;

/** Routes of the door as data; nothing of them is called. */
export function documentedRoutes(): readonly HttpRoute[] {
  const { settings } = resolveSettings({ env: {} });
  return createRoutes({ settings } as unknown as HttpDependencies);
}

/** Text of docs/http.md. @param intro what stands before the routes. */
export function httpDocument(intro: string): string {
  const routes = documentedRoutes();
  const shapes = new Map<string, Schema>();
  for (const route of routes) for (const schema of schemasOf(route)) collect(schema, shapes);
  const areas = [...new Set(routes.map(({ area }) => area))];
  const sections = areas.map((area) =>
    areaSection(
      area,
      routes.filter((route) => route.area === area),
    ),
  );
  return `${intro}
## Routes

${sections.join('\n\n')}

## Shapes

${[...shapes]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([title, schema]) => shapeSection(title, schema))
  .join('\n\n')}

## Codes

What the codes mean and what to do about them is in the README of each layer.

| status | codes |
| --- | --- |
${codeRows().join('\n')}
`;
}

function schemasOf(route: HttpRoute): readonly Schema[] {
  const answers = Object.values(route.answers).map(({ schema }) => schema);
  return [route.body, route.payload?.json, ...answers].filter((schema) => schema !== undefined) as readonly Schema[];
}

function collect(schema: Schema, shapes: Map<string, Schema>): void {
  if (schema.title !== undefined) shapes.set(schema.title, schema);
  const record = Object.values(schema.patternProperties ?? {});
  for (const part of [...Object.values(schema.properties ?? {}), ...(schema.anyOf ?? []), ...record])
    collect(part, shapes);
  if (schema.items !== undefined) collect(schema.items, shapes);
}

function areaSection(area: string, routes: readonly HttpRoute[]): string {
  return `### ${area}\n\n${routes.map(routeSection).join('\n\n')}`;
}

function routeSection(route: HttpRoute): string {
  const role = route.role === null ? 'for everybody' : `role ${route.role}`;
  const lines = [`#### ${route.method} ${route.path}`, '', `${route.summary}. *(${role})*`];
  if (route.description !== undefined) lines.push('', route.description);
  const parameters = Object.entries(route.query ?? {}) as [string, Schema & { '~optional'?: true }][];
  if (parameters.length > 0) {
    lines.push('', '| parameter | takes | |', '| --- | --- | --- |', ...parameters.map(parameterRow));
  }
  const body = bodyText(route);
  if (body !== null) lines.push('', `Body: ${body}`);
  const answers = Object.entries(route.answers).map(([status, { description, schema, type }]) => {
    const shown = schema === undefined ? (type ?? '') : `\`${shown1(schema as Schema)}\``;
    return `- **${status}** ${description}${shown === '' ? '' : `: ${shown}`}`;
  });
  return [...lines, '', ...answers].join('\n');
}

function parameterRow([name, schema]: readonly [string, Schema]): string {
  const preset = schema.default === undefined ? '' : `default ${JSON.stringify(schema.default)}`;
  const told = [schema.description ?? '', preset].filter((text) => text !== '').join('; ');
  return `| \`${name}\` | ${escapeCell(typeText(schema))} | ${escapeCell(told)} |`;
}

function bodyText(route: HttpRoute): string | null {
  const json = (route.body ?? route.payload?.json) as Schema | undefined;
  if (json === undefined && route.payload === undefined) return null;
  const others = mediaTypesOf(route).filter((type) => type !== 'application/json' && type !== '');
  const parts = json === undefined ? [] : [`JSON \`${shown1(json)}\``];
  if (others.length > 0) parts.push(others.map((type) => `\`${type}\``).join(', '));
  const isOptional = route.bodyOptional === true || route.payload?.optional === true;
  return `${parts.join(', or ')}${isOptional ? '; may be left out' : ''}.`;
}

/** In one line; a shape with a name is its name. */
function shown1(schema: Schema): string {
  return schema.title ?? typeText(schema);
}

function typeText(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(shown1).join(' | ');
  if (schema.type === 'array') return `[${shown1(schema.items ?? {})}, …]`;
  if (schema.type === 'object') return objectText(schema);
  return (
    { string: 'text', integer: 'integer', number: 'number', boolean: 'boolean', null: 'null' }[schema.type ?? ''] ??
    'any'
  );
}

function objectText(schema: Schema): string {
  const fields = Object.entries(schema.properties ?? {}).map((field) => fieldText(schema, field));
  const record = Object.values(schema.patternProperties ?? {})[0];
  if (record !== undefined) fields.push(`name: ${shown1(record)}`);
  if (schema.additionalProperties === true) fields.push('…');
  return fields.length === 0 ? '{ }' : `{ ${fields.join(', ')} }`;
}

function fieldText({ required = [] }: Schema, [name, schema]: readonly [string, Schema]): string {
  return `${name}${required.includes(name) ? '' : '?'}: ${shown1(schema)}`;
}

function shapeSection(title: string, schema: Schema): string {
  const { properties = {} } = schema;
  const lines = Object.entries(properties).map(([name, field]) => {
    const told = field.description === undefined ? '' : `  // ${field.description}`;
    const line = `  ${fieldText(schema, [name, field])},`;
    return told.length + line.length > WIDTH * 1.5 ? `${line}` : `${line}${told}`;
  });
  return `**${title}**\n\n\`\`\`ts\n{\n${lines.join('\n')}\n}\n\`\`\``;
}

function codeRows(): readonly string[] {
  const byStatus = Map.groupBy(Object.entries(ERROR_STATUS), ([, status]) => status);
  return [...byStatus]
    .sort(([a], [b]) => a - b)
    .map(([status, codes]) => `| ${status} | ${codes.map(([code]) => `\`${code}\``).join(', ')} |`);
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}
