import { Type } from 'typebox';
import { AtMs, nullable, OrNull, shape, VersionNumber, words } from './parts.ts';

export const LANGUAGES = ['js', 'ts'] as const;
export const Language = words(LANGUAGES);

export const FunctionShape = shape(
  {
    name: Type.String(),
    description: OrNull.text,
    activeVersion: Type.Union([VersionNumber, Type.Null()], { description: 'New events go to it; null = to none' }),
    latestVersion: VersionNumber,
    createdAtMs: AtMs,
    updatedAtMs: AtMs,
    registrations: Type.Array(Type.String(), { description: 'Ids of those in force' }),
  },
  'Function',
);

export const VersionShape = shape(
  {
    functionName: Type.String(),
    version: VersionNumber,
    active: Type.Boolean(),
    sha256: Type.String(),
    language: Language,
    description: OrNull.text,
    createdAtMs: AtMs,
    registrations: Type.Array(shape({ id: Type.String(), reader: Type.String(), mode: Type.String() })),
    limits: nullable(Type.Record(Type.String(), Type.String())),
    commands: nullable(Type.Array(Type.String())),
    keys: nullable(Type.Array(Type.String())),
    settings: nullable(Type.Record(Type.String(), Type.String())),
    secrets: nullable(Type.Array(Type.String(), { description: 'Names of those it asks for' })),
  },
  'Version',
);

export const LoadedShape = shape(
  {
    name: Type.String(),
    version: VersionNumber,
    created: Type.Boolean({ description: 'false: the same source was there' }),
    sha256: Type.String(),
    registrationIds: Type.Array(Type.String(), { description: 'Those of the function that are in force now' }),
    revision: Type.Integer(),
  },
  'Loaded',
);

const File = shape({ path: Type.String(), source: Type.String() });

export const SourceShape = shape(
  {
    functionName: Type.String(),
    version: VersionNumber,
    sha256: Type.String(),
    language: Language,
    source: Type.String({ description: 'What was uploaded' }),
    files: Type.Array(File, { description: "The author's own files, with their lines" }),
  },
  'Source',
);

const Line = nullable(Type.Integer({ minimum: 1 }));
const DiffLine = shape({
  kind: words(['same', 'added', 'removed']),
  fromLine: Line,
  toLine: Line,
  text: Type.String(),
});
const Hunk = shape({
  fromLine: Type.Integer(),
  fromCount: Type.Integer(),
  toLine: Type.Integer(),
  toCount: Type.Integer(),
  lines: Type.Array(DiffLine),
});

export const DiffShape = shape(
  {
    functionName: Type.String(),
    from: VersionNumber,
    to: VersionNumber,
    files: Type.Array(
      shape({
        path: Type.String(),
        status: words(['same', 'changed', 'added', 'removed']),
        hunks: Type.Array(Hunk),
      }),
    ),
  },
  'Diff',
);

const UPLOAD_OPTIONS = {
  language: Type.Optional(Language),
  description: Type.Optional(Type.String({ maxLength: 10_000 })),
  activate: Type.Optional(Type.Boolean({ default: true })),
  mustBeNew: Type.Optional(Type.Boolean({ default: false, description: 'true: 409 when there is such a function' })),
};

export const UPLOAD_QUERY = UPLOAD_OPTIONS;

/** One of `source` and `files` with `entry`. */
export const UploadBody = shape(
  {
    source: Type.Optional(Type.String()),
    sourceMap: Type.Optional(Type.String({ description: 'Source map v3 of a bundle, JSON text' })),
    files: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'Sources by path; bundled here' })),
    entry: Type.Optional(Type.String({ description: 'The one of the files that is the function' })),
    ...UPLOAD_OPTIONS,
  },
  'Upload',
);
