import { PlatformError } from '../errors.ts';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** TLS as the address asks for it; files are read when connecting. */
export interface TlsSettings {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

/** What a Redis address says. */
export interface RedisTarget {
  readonly topology: 'single' | 'sentinel' | 'cluster';
  /** The server, the sentinels, or some nodes of the cluster; empty with `path`. */
  readonly hosts: readonly HostPort[];
  /** Unix socket. */
  readonly path?: string;
  /** Name of the primary as the sentinels know it. */
  readonly sentinelName?: string;
  readonly username?: string;
  readonly password?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  readonly tls: TlsSettings | null;
}

interface Scheme {
  readonly topology: RedisTarget['topology'];
  readonly tls: boolean;
}

const SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  ['redis', { topology: 'single', tls: false }],
  ['rediss', { topology: 'single', tls: true }],
  ['unix', { topology: 'single', tls: false }],
  ['redis+sentinel', { topology: 'sentinel', tls: false }],
  ['rediss+sentinel', { topology: 'sentinel', tls: true }],
  ['redis+cluster', { topology: 'cluster', tls: false }],
  ['rediss+cluster', { topology: 'cluster', tls: true }],
]);

const QUERY_NAMES = [
  'tls',
  'ca',
  'cert',
  'key',
  'servername',
  'rejectUnauthorized',
  'sentinelUsername',
  'sentinelPassword',
];

/** `url` with every password in it replaced by `***`, for messages and logs. */
export function maskRedisUrl(url: string): string {
  const start = url.indexOf('://') + 3;
  const end = authorityEnd(url, start);
  const at = start < 3 ? -1 : url.lastIndexOf('@', end - 1);
  let masked = url;
  if (at >= start) {
    const colon = url.indexOf(':', start);
    if (colon >= 0 && colon < at) masked = `${url.slice(0, colon + 1)}***${url.slice(at)}`;
  }
  return masked.replace(/([?&]sentinelPassword=)[^&]*/gi, '$1***');
}

/**
 * Parses `redis://`, `rediss://`, `redis+sentinel://host:port,host:port/name`, `redis+cluster://host:port,host:port` and
 * `unix:///path`, each with `user:password@`. Query: `ca`, `cert`, `key` (files), `servername`, `rejectUnauthorized`,
 * `tls`, `sentinelUsername`, `sentinelPassword`. Throws REDIS_URL_INVALID, which shows the address without its passwords.
 */
export function parseRedisUrl(url: string): RedisTarget {
  const fail = (what: string): never => {
    const shown = maskRedisUrl(url);
    throw new PlatformError('REDIS_URL_INVALID', `'${shown}' is no Redis address: ${what}`, {
      details: { url: shown },
    });
  };
  const schemeEnd = url.indexOf('://');
  const scheme = SCHEMES.get(schemeEnd < 0 ? '' : url.slice(0, schemeEnd).toLowerCase());
  if (!scheme) return fail(`it must begin with one of ${[...SCHEMES.keys()].join('://, ')}://`);
  const start = schemeEnd + 3;
  const end = authorityEnd(url, start);
  const questionMark = url.indexOf('?', end);
  const path = questionMark < 0 ? url.slice(end) : url.slice(end, questionMark);
  const query = parseQuery(questionMark < 0 ? '' : url.slice(questionMark + 1), fail);
  const authority = url.slice(start, end);
  const at = authority.lastIndexOf('@');
  const base = {
    topology: scheme.topology,
    ...credentials(at < 0 ? '' : authority.slice(0, at), fail),
    ...sentinelCredentials(query),
    tls: scheme.tls || query.get('tls') === 'true' ? tlsSettings(query) : null,
  };
  const isSocket = url.slice(0, schemeEnd).toLowerCase() === 'unix';
  return { ...base, ...place({ topology: scheme.topology, isSocket, hostText: authority.slice(at + 1), path }, fail) };
}

interface PlaceText {
  readonly topology: RedisTarget['topology'];
  readonly isSocket: boolean;
  readonly hostText: string;
  readonly path: string;
}

function place(
  { topology, isSocket, hostText, path }: PlaceText,
  fail: Fail,
): Pick<RedisTarget, 'hosts' | 'path' | 'sentinelName'> {
  if (isSocket) {
    if (hostText !== '' || path.length < 2) fail('a unix socket is written unix:///path/to/socket');
    return { hosts: [], path: decode(path, fail) };
  }
  const hosts = hostText.split(',').map((text) => hostPort(text, topology === 'sentinel' ? 26_379 : 6_379, fail));
  if (topology === 'sentinel') {
    const sentinelName = decode(path.slice(1), fail);
    if (sentinelName === '') fail('the name of the primary is missing: redis+sentinel://host:port,host:port/name');
    return { hosts, sentinelName };
  }
  if (topology === 'single' && hosts.length > 1) fail('several hosts need redis+sentinel:// or redis+cluster://');
  if (path !== '' && path !== '/' && path !== '/0') fail(`only database 0 can be used, not '${path.slice(1)}'`);
  return { hosts };
}

type Fail = (what: string) => never;

/** Where user, password and hosts end: at the first `/` or `?` behind the last `@`, or of all. */
function authorityEnd(url: string, start: number): number {
  const rest = url.slice(start);
  const questionMark = rest.indexOf('?');
  const head = questionMark < 0 ? rest : rest.slice(0, questionMark);
  const slash = head.indexOf('/', head.lastIndexOf('@') + 1);
  return start + (slash < 0 ? head.length : slash);
}

function decode(text: string, fail: Fail): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return fail('a % in it is not followed by two hexadecimal digits');
  }
}

function credentials(text: string, fail: Fail): Pick<RedisTarget, 'username' | 'password'> {
  if (text === '') return {};
  const colon = text.indexOf(':');
  const username = decode(colon < 0 ? text : text.slice(0, colon), fail);
  const password = colon < 0 ? '' : decode(text.slice(colon + 1), fail);
  return { ...(username ? { username } : {}), ...(password ? { password } : {}) };
}

function sentinelCredentials(query: ReadonlyMap<string, string>) {
  const sentinelUsername = query.get('sentinelUsername');
  const sentinelPassword = query.get('sentinelPassword');
  return { ...(sentinelUsername ? { sentinelUsername } : {}), ...(sentinelPassword ? { sentinelPassword } : {}) };
}

function parseQuery(text: string, fail: Fail): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (!QUERY_NAMES.includes(name)) fail(`it has no option '${name}'; there are ${QUERY_NAMES.join(', ')}`);
    const isFlag = name === 'tls' || name === 'rejectUnauthorized';
    if (isFlag && value !== 'true' && value !== 'false') fail(`${name} is true or false, not '${value}'`);
    values.set(name, value);
  }
  return values;
}

function tlsSettings(query: ReadonlyMap<string, string>): TlsSettings {
  const settings: Record<string, string | boolean> = {
    rejectUnauthorized: query.get('rejectUnauthorized') !== 'false',
  };
  const names = { ca: 'caFile', cert: 'certFile', key: 'keyFile', servername: 'servername' };
  for (const [name, setting] of Object.entries(names)) {
    const value = query.get(name);
    if (value) settings[setting] = value;
  }
  return settings as unknown as TlsSettings;
}

function hostPort(text: string, defaultPort: number, fail: Fail): HostPort {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d+))?$/.exec(text);
  const host = match?.[1];
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  if (!host) return fail(`'${text}' is not host:port`);
  if (port < 1 || port > 65_535) fail(`'${match?.[2]}' is not a port`);
  return { host: host.startsWith('[') ? host.slice(1, -1) : host, port };
}
