import { PlatformError } from '#functions';
import { statusOf } from './error-status.ts';

/** An error as RFC 9457 writes it. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** A sentence for people. */
  readonly detail: string;
  /** Stable, documented. */
  readonly code: string;
  /** Id of the request: header `x-request-id`, and in the log. */
  readonly instance: string;
  readonly details: Readonly<Record<string, unknown>> | null;
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** Facts that steer texts of the RESP door. */
const OWN_AFFAIRS: ReadonlySet<string> = new Set(['isVerbatim']);

/** What a client of this door reads of a thrown value: no stack, nothing of what was thrown below. */
export function problemOf(reason: unknown, requestId: string): Problem {
  const error = reason instanceof PlatformError ? reason : failure(requestId);
  const { code, message, details } = error;
  const status = statusOf(code);
  const facts = Object.entries(details).filter(([name]) => !OWN_AFFAIRS.has(name));
  return {
    type: `urn:regears:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: TITLES[status] ?? 'Error',
    status,
    detail: message,
    code,
    instance: requestId,
    details: facts.length === 0 ? null : Object.fromEntries(facts),
  };
}

function failure(requestId: string): PlatformError {
  return new PlatformError('INTERNAL', `the platform failed; its log says more under request ${requestId}`);
}

/** Headers that go with some problems. */
export function problemHeaders({ status }: Problem): Readonly<Record<string, string>> {
  if (status === 401) return { 'www-authenticate': 'Bearer realm="regears"' };
  return status === 429 || status === 503 ? { 'retry-after': '1' } : {};
}
