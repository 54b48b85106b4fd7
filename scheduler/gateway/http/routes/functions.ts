import { type Static, Type } from 'typebox';
import { originalFiles, type VersionRecord } from '#functions';
import { diffFiles } from '../../operations/diff-files.ts';
import { loadFunction, removeFunction, rollBackFunction } from '../../operations/function-changes.ts';
import { versionReport } from '../../operations/version-report.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { wholeList } from '../paging.ts';
import { defineRoute, type HttpRoute } from '../route.ts';
import {
  DiffShape,
  FunctionShape,
  LoadedShape,
  SourceShape,
  UPLOAD_QUERY,
  UploadBody,
  VersionShape,
} from '../schemas/functions.ts';
import { FunctionName, pageOf, Revision, shape, VersionNumber, words } from '../schemas/parts.ts';
import { readUpload, SOURCE_TYPES } from '../upload.ts';

const area = 'Functions';
const name = FunctionName;
const ABORT = { abortPending: Type.Optional(Type.Boolean({ default: false, description: 'give up what is in work' })) };
const CONTEXT = 3;
/** JSON and forms need more bytes than the source itself. */
const PACKING = 2.5;

/** Functions, their versions, sources and changes. */
export function functionRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  return [
    ...readRoutes(dependencies),
    ...sourceRoutes(dependencies),
    ...changeRoutes(dependencies),
    uploadRoute(dependencies),
  ];
}

function readRoutes({ registry }: HttpDependencies): readonly HttpRoute[] {
  return [
    defineRoute({
      ...{ method: 'GET', path: '/v1/functions', role: 'read', area },
      summary: 'List functions',
      answers: { 200: { description: 'All functions, by name', schema: pageOf(FunctionShape) } },
      handle: async () => ({ body: wholeList(await listFunctions({ registry })) }),
    }),
    defineRoute({
      ...{ method: 'GET', path: '/v1/functions/{name}', role: 'read', area },
      summary: 'Show a function',
      params: { name },
      answers: { 200: { description: 'The function', schema: FunctionShape } },
      async handle({ params }) {
        await registry.get(params.name);
        return { body: (await listFunctions({ registry })).find((each) => each.name === params.name) };
      },
    }),
    defineRoute({
      ...{ method: 'GET', path: '/v1/functions/{name}/versions', role: 'read', area },
      summary: 'List versions of a function',
      params: { name },
      answers: { 200: { description: 'All kept versions, newest first', schema: pageOf(VersionShape) } },
      async handle({ params }) {
        const versions = await registry.versions(params.name);
        const reports = versions.map((version) => versionReport(version, activeVersion({ registry }, params.name)));
        return { body: wholeList(reports.reverse()) };
      },
    }),
    defineRoute({
      ...{ method: 'GET', path: '/v1/functions/{name}/versions/{version}', role: 'read', area },
      summary: 'Show a version',
      params: { name, version: VersionNumber },
      answers: { 200: { description: 'The version', schema: VersionShape } },
      async handle({ params }) {
        const version = await registry.get(params.name, params.version);
        return { body: versionReport(version, activeVersion({ registry }, params.name)) };
      },
    }),
  ];
}

function sourceRoutes({ registry }: HttpDependencies): readonly HttpRoute[] {
  const sourceOf = async (functionName: string, version: number): Promise<Static<typeof SourceShape>> => {
    const { artifact, sha256, language } = await registry.get(functionName, version);
    const files = originalFiles(artifact, functionName).map((file) => ({ ...file }));
    return { functionName, version, sha256, language, source: artifact.source, files };
  };
  return [
    defineRoute({
      ...{ method: 'GET', path: '/v1/functions/{name}/versions/{version}/source', role: 'read', area },
      summary: 'Show the source of a version',
      params: { name, version: VersionNumber },
      answers: { 200: { description: 'What was uploaded, and the files of its author', schema: SourceShape } },
      handle: async ({ params }) => ({ body: await sourceOf(params.name, params.version) }),
    }),
    defineRoute({
      ...{ method: 'GET', path: '/v1/functions/{name}/diff', role: 'read', area },
      summary: 'Compare two versions',
      params: { name },
      query: { from: VersionNumber, to: VersionNumber, context: Type.Optional(words(['changes', 'all'])) },
      answers: { 200: { description: "What changed in the author's files", schema: DiffShape } },
      async handle({ params, query }) {
        const [from, to] = await Promise.all([sourceOf(params.name, query.from), sourceOf(params.name, query.to)]);
        const context = query.context === 'all' ? Number.POSITIVE_INFINITY : CONTEXT;
        const files = await diffFiles(from.files, to.files, context);
        return { body: { functionName: params.name, from: query.from, to: query.to, files } };
      },
    }),
  ];
}

function changeRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  const loaded = { 200: { description: 'The version that is active now', schema: LoadedShape } };
  return [
    defineRoute({
      ...{ method: 'POST', path: '/v1/functions/{name}/versions/{version}/activate', role: 'admin', area },
      summary: 'Send new events to a version',
      params: { name, version: VersionNumber },
      answers: loaded,
      handle: async ({ params }) => ({ body: { ...(await rollBackFunction(dependencies, params)), created: false } }),
    }),
    defineRoute({
      ...{ method: 'POST', path: '/v1/functions/{name}/rollback', role: 'admin', area },
      summary: 'Send new events to an earlier version',
      description: 'Without a version: the one before the active one. With `fromId` entries from there on run again.',
      params: { name },
      body: shape({
        version: Type.Optional(VersionNumber),
        fromId: Type.Optional(Type.String({ maxLength: 100, description: 'entry id, or a time in ms' })),
      }),
      bodyOptional: true,
      answers: loaded,
      async handle({ params, body }) {
        const { version, fromId } = body ?? {};
        const result = await rollBackFunction(dependencies, { name: params.name, version, fromId });
        return { body: { ...result, created: false } };
      },
    }),
    defineRoute({
      ...{ method: 'DELETE', path: '/v1/functions/{name}', role: 'admin', area },
      summary: 'Remove a function with all its versions',
      params: { name },
      query: ABORT,
      answers: { 200: { description: 'It is removed', schema: Revision } },
      async handle({ params, query }) {
        return { body: { revision: await removeFunction(dependencies, params.name, query.abortPending ?? false) } };
      },
    }),
  ];
}

function uploadRoute(dependencies: HttpDependencies): HttpRoute {
  const { registry, settings } = dependencies;
  return defineRoute({
    ...{ method: 'PUT', path: '/v1/functions/{name}', role: 'admin', area },
    summary: 'Upload a function',
    description: 'The source as it is, a form with files, or JSON. A source that was there makes no new version.',
    params: { name },
    query: UPLOAD_QUERY,
    payload: {
      json: UploadBody,
      raw: SOURCE_TYPES,
      multipart: true,
      optional: false,
      description: 'send the source of the function',
    },
    maxBodyBytes: Math.ceil(settings.caps.artifactBytes * PACKING),
    deadlineMs: 60_000,
    answers: {
      200: { description: 'The same source was there', schema: LoadedShape },
      201: { description: 'A new version', schema: LoadedShape },
    },
    async handle({ params, query, payload }) {
      const { options, source, language, sourceMap } = await readUpload(payload, query.language);
      const before = await knownVersions({ registry }, params.name);
      const loaded = await loadFunction(dependencies, {
        ...{ name: params.name, source, language, sourceMap },
        description: options.description ?? query.description ?? null,
        activate: options.activate ?? query.activate ?? true,
        mustBeNew: options.mustBeNew ?? query.mustBeNew ?? false,
      });
      const created = !before.some(({ version }) => version === loaded.version);
      return { status: created ? 201 : 200, body: { ...loaded, created } };
    },
  });
}

type RegistryPart = Pick<HttpDependencies, 'registry'>;

/** As the registry has them, with what is in force. */
export async function listFunctions({ registry }: RegistryPart): Promise<readonly Static<typeof FunctionShape>[]> {
  const records = await registry.list();
  const all = [...registry.snapshot().registrations.values()];
  return records
    .map(({ secrets: _asked, variablesRevision: _at, ...record }) => {
      const own = all.filter(({ functionName }) => functionName === record.name);
      return { ...record, registrations: own.map(({ spec }) => spec.id).sort() };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function activeVersion({ registry }: RegistryPart, functionName: string): number | null {
  return registry.snapshot().functions.get(functionName)?.activeVersion ?? null;
}

async function knownVersions({ registry }: RegistryPart, functionName: string): Promise<readonly VersionRecord[]> {
  return registry.snapshot().functions.has(functionName) ? registry.versions(functionName) : [];
}
