import type { FastifyRequest } from 'fastify';
import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';
import type { HttpRoute, Payload, UploadedFile } from './route.ts';

const MOST_PARTS = 1_000;

/** The JSON body of a route that takes nothing else; null when it may be left out and is. */
export function readBody({ body }: FastifyRequest, route: HttpRoute): unknown {
  if (route.body === undefined) return null;
  if (body !== undefined && body !== null) return body;
  if (route.bodyOptional === true) return null;
  throw missing('send JSON (content-type: application/json)');
}

/** The body of a route that takes several types. ARGUMENT_INVALID, BODY_TOO_LARGE. */
export async function readPayload(request: FastifyRequest, route: HttpRoute): Promise<Payload | null> {
  const { payload } = route;
  if (payload === undefined) return null;
  if (request.isMultipart()) return readForm(request, route.maxBodyBytes ?? 0);
  const { body } = request;
  if (Buffer.isBuffer(body)) {
    const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
    if (body.length > 0 || !payload.optional) return { kind: 'raw', type, bytes: body };
    return null;
  }
  if (body !== undefined && body !== null) return { kind: 'json', value: body };
  if (payload.optional) return null;
  throw missing(payload.description);
}

/** Everything is read before anything is done, so that half an upload changes nothing. */
async function readForm(request: FastifyRequest, maxBytes: number): Promise<Payload> {
  const fields: Record<string, string> = {};
  const files: UploadedFile[] = [];
  const limits = { fileSize: maxBytes, fieldSize: maxBytes, parts: MOST_PARTS };
  let bytes = 0;
  for await (const part of request.parts({ limits })) {
    if (part.type === 'file') files.push({ name: part.filename, bytes: await part.toBuffer() });
    else fields[part.fieldname] = String(part.value);
    bytes += part.type === 'file' ? (files.at(-1)?.bytes.length ?? 0) : String(part.value).length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
  }
  return { kind: 'form', fields, files };
}

function missing(how: string): PlatformError {
  return new PlatformError('ARGUMENT_INVALID', `the body is missing: ${how}`, { details: { at: 'body', path: '' } });
}

function tooLarge(maxBytes: number): PlatformError<SchedulerErrorCode> {
  return new PlatformError('BODY_TOO_LARGE', `the parts of the body have more than ${maxBytes} bytes together`);
}
