import { isEntryId, parseEntryId } from './entry-id.ts';
import { STEP_TYPES, type StepSpec } from './plan.ts';
import { RUN_READERS, type RunSpec } from './run-spec.ts';
import { type FieldReader, readFields, readList } from './untrusted.ts';

const MAX_RUNS = 1;
const MAX_STEPS = 1_000;
const MAX_NAME_LENGTH = 1_024;
const MAX_DESCRIPTION_LENGTH = 10_000;
const MAX_COUNT = 1_000_000;

const RUN_FIELDS = [
  'index',
  'reader',
  'arg',
  'mode',
  'noScan',
  'readValue',
  'count',
  'fromId',
  'untilId',
  'description',
  'steps',
] as const;

/** One element of a list of steps. Errors: MANIFEST_INVALID naming field and value. */
export function parseStep(value: unknown, path: string): StepSpec {
  const fields = readFields(value, path, ['type', 'arg']);
  return { type: fields.oneOf('type', STEP_TYPES), arg: fields.textOrNull('arg', MAX_NAME_LENGTH) };
}

/** Checks what the `run` calls of a source reported. Errors: MANIFEST_INVALID naming field and value. */
export function parseRuns(reported: unknown): readonly RunSpec[] {
  return readList(reported, 'runs', MAX_RUNS).map((value, index) => parseRun(value, `runs[${index}]`, [index, index]));
}

/** Checks a run that a handler has started; its index is of its isolate's choice. Errors: MANIFEST_INVALID. */
export function parseNestedRun(reported: unknown): RunSpec {
  return parseRun(reported, 'run', [1, 0xffff_ffff]);
}

function parseRun(value: unknown, path: string, [lowest, highest]: readonly [number, number]): RunSpec {
  const fields = readFields(value, path, RUN_FIELDS);
  return {
    index: fields.whole('index', lowest, highest),
    reader: fields.oneOf('reader', RUN_READERS),
    arg: fields.text('arg', MAX_NAME_LENGTH),
    mode: fields.oneOf('mode', ['async', 'async_local'] as const),
    noScan: fields.flag('noScan'),
    readValue: fields.flag('readValue'),
    count: fields.whole('count', 1, MAX_COUNT),
    fromId: parseId(fields, 'fromId', '0-0'),
    untilId: parseId(fields, 'untilId', '+'),
    description: fields.textOrNull('description', MAX_DESCRIPTION_LENGTH),
    steps: fields.list('steps', MAX_STEPS).map((step, at) => parseStep(step, `${fields.path}.steps[${at}]`)),
  };
}

function parseId(fields: FieldReader, field: string, preset: string): string {
  const id = fields.text(field, 41, 1);
  if (id === preset) return id;
  if (!isEntryId(id)) fields.refuse(field, `${preset} or an entry id`);
  return parseEntryId(id);
}
