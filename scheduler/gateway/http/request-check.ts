import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { PlatformError } from '#functions';

/** Part of a request that a schema speaks of. */
export type RequestPart = 'body' | 'querystring' | 'params' | 'headers';

export type Check = (value: unknown) => boolean | { readonly error: PlatformError };

export interface RequestChecks {
  compile(schema: object, part: RequestPart): Check;
}

/**
 * Checks requests. What stands in an address is text and becomes what the schema asks for; a body must be of the right types
 * as it is. Nothing is taken away or filled in silently, but defaults.
 */
export function createRequestChecks(): RequestChecks {
  const strict = new Ajv({ strict: true, allowUnionTypes: true, useDefaults: true });
  const fromText = new Ajv({ strict: true, allowUnionTypes: true, useDefaults: true, coerceTypes: true });
  return {
    compile(schema, part) {
      const validate = (part === 'body' ? strict : fromText).compile(schema);
      return (value) => (validate(value) ? true : { error: mistake(validate, part) });
    },
  };
}

/** ARGUMENT_INVALID that names the place, and what is allowed there. */
function mistake({ errors }: ValidateFunction, part: RequestPart): PlatformError {
  const error = errors?.[0];
  const path = error?.instancePath ?? '';
  const where = part === 'querystring' ? 'query' : part;
  const at = path === '' ? `the ${where}` : `${path.slice(1).replaceAll('/', '.')} in the ${where}`;
  const message = `${at} ${error === undefined ? 'is not as it should be' : wordsOf(error)}`;
  return new PlatformError('ARGUMENT_INVALID', message, { details: { at: part, path } });
}

function wordsOf({ keyword, params, message = '' }: ErrorObject): string {
  if (keyword === 'additionalProperties') return `has "${shown(params.additionalProperty)}", which is unknown`;
  if (keyword === 'required') return `lacks "${shown(params.missingProperty)}"`;
  if (keyword === 'enum') return `must be one of ${(params.allowedValues as readonly unknown[]).join(', ')}`;
  return message;
}

function shown(name: unknown): string {
  return String(name).slice(0, 100);
}
