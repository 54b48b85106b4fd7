import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';

export interface GuardOptions {
  /** Origins of pages besides the door's own, such as `https://ops.example.org`. */
  readonly origins: readonly string[];
}

/**
 * Refuses what a browser sends for a page that is not ours: a page of another site may not use the open door of a visitor's
 * machine, nor reach it under a name of its own (DNS rebinding). Programs send neither Origin nor Sec-Fetch-Site, so they are
 * not asked. ORIGIN_REFUSED.
 * @param isOpen true: nobody has to show a token, so the name under which the door was reached counts.
 */
export function guardRequest(headers: IncomingHttpHeaders, options: GuardOptions, isOpen: boolean): void {
  const host = headers.host ?? '';
  if (isOpen && !isLoopbackName(host)) {
    throw refused(`the door was asked as "${shown(host)}"; without tokens it answers to localhost and 127.0.0.1 only`);
  }
  const { origin } = headers;
  if (origin !== undefined) {
    if (isOwn(origin, host) || options.origins.includes(origin)) return;
    throw refused(`a page of ${shown(origin)} may not use this door; setting http-origins names those that may`);
  }
  const site = headers['sec-fetch-site'];
  if (site === 'cross-site' || site === 'same-site') {
    throw refused('a page of another site may not use this door');
  }
}

/** A page's origin and the host it asked are the same, whatever stands before the door ends TLS. */
function isOwn(origin: string, host: string): boolean {
  return host !== '' && /^https?:\/\//.test(origin) && origin.replace(/^https?:\/\//, '') === host;
}

function isLoopbackName(host: string): boolean {
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

function shown(text: string): string {
  return text.slice(0, 100);
}

function refused(message: string): PlatformError<SchedulerErrorCode> {
  return new PlatformError('ORIGIN_REFUSED', message);
}
