import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

interface StaticFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** Null where it would not be smaller. */
  readonly zipped: Buffer | null;
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

/** The page may use what this door serves, and nothing else. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const LEAST_ZIPPED_BYTES = 512;
const zip = promisify(gzip);

/** Files by name, made when they are first asked for. */
export interface StaticSource {
  readonly names: readonly string[];
  read(): Promise<ReadonlyMap<string, Uint8Array>>;
}

/** Serves files from memory; `index.html` is at `/`. */
export function mountStaticFiles(app: FastifyInstance, source: StaticSource): void {
  const ready = new Map<string, StaticFile>();
  for (const name of source.names) {
    app.route({
      method: ['GET', 'HEAD'],
      url: name === 'index.html' ? '/' : `/${name}`,
      schema: { hide: true } as object,
      handler: async (request, reply) => {
        const file = ready.get(name) ?? (await load(source, name));
        ready.set(name, file);
        return send(file, request, reply);
      },
    });
  }
}

async function load(source: StaticSource, name: string): Promise<StaticFile> {
  const bytes = Buffer.from((await source.read()).get(name) ?? '');
  const zipped = bytes.length < LEAST_ZIPPED_BYTES ? null : await zip(bytes, { level: 9 });
  return {
    type: TYPES[extname(name)] ?? 'application/octet-stream',
    bytes,
    zipped: zipped !== null && zipped.length < bytes.length ? zipped : null,
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
  };
}

function send(file: StaticFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers({
    etag: file.etag,
    'cache-control': 'no-cache',
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    vary: 'accept-encoding',
  });
  const known = (request.headers['if-none-match'] ?? '').split(',').map((each) => each.trim().replace(/^W\//, ''));
  if (known.includes(file.etag)) return reply.code(304).send();
  const zipped = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '') ? file.zipped : null;
  if (zipped !== null) reply.header('content-encoding', 'gzip');
  const bytes = zipped ?? file.bytes;
  reply.type(file.type);
  if (request.method === 'HEAD') return reply.header('content-length', bytes.length).send();
  return reply.send(bytes);
}
