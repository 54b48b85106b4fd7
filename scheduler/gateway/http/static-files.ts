import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

interface StaticFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** Null where it would not be smaller. */
  readonly zipped: Buffer | null;
  readonly etag: string;
  readonly caching: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
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

/** A name that holds a hash of the content: `app-3f9c2b1a.js`. */
const HASHED = /-[0-9a-zA-Z_]{8,}\.\w+$/;
const LEAST_ZIPPED_BYTES = 512;
const zip = promisify(gzip);

/** Serves the files of a folder, with those below, from memory; `index.html` is at `/`. */
export async function mountStaticFiles(app: FastifyInstance, folder: URL): Promise<void> {
  const root = fileURLToPath(folder);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile() && Object.hasOwn(TYPES, extname(each.name)))) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(root.length).replaceAll('\\', '/').replace(/^\//, '');
    const file = await load(path);
    const url = name === 'index.html' ? '/' : `/${name}`;
    app.route({
      method: ['GET', 'HEAD'],
      url,
      schema: { hide: true } as object,
      handler: async (request, reply) => send(file, request, reply),
    });
  }
}

async function load(path: string): Promise<StaticFile> {
  const bytes = await readFile(path);
  const zipped = bytes.length < LEAST_ZIPPED_BYTES ? null : await zip(bytes, { level: 9 });
  return {
    type: TYPES[extname(path)] ?? 'application/octet-stream',
    bytes,
    zipped: zipped !== null && zipped.length < bytes.length ? zipped : null,
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    caching: HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
}

function send(file: StaticFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers({
    etag: file.etag,
    'cache-control': file.caching,
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
