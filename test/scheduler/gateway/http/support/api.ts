import {
  type PlatformProcess,
  type PlatformProcessOptions,
  startPlatformProcess,
} from '../../../../support/platform.ts';

/** What a test looks into without saying what it is first. */
export type Json = ReturnType<typeof JSON.parse>;

/** An answer of the door, read to its end. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON or a problem, else text; null when there is none. */
  readonly body: Json;
}

export interface ApiCall {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: RequestInit['body'];
}

/** Asks a door. */
export interface Api {
  readonly url: string;
  call(method: string, path: string, call?: ApiCall): Promise<ApiAnswer>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<ApiAnswer>;
  post(path: string, json?: unknown, headers?: Readonly<Record<string, string>>): Promise<ApiAnswer>;
  /** Uploads a function from its source; fails unless it was taken. */
  upload(name: string, source: string, query?: string): Promise<Json>;
}

export function apiAt(port: number): Api {
  const url = `http://127.0.0.1:${port}`;
  const call = async (method: string, path: string, { headers, json, body }: ApiCall = {}): Promise<ApiAnswer> => {
    const isJson = json !== undefined;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...(isJson ? { 'content-type': 'application/json' } : {}), ...headers },
      ...(isJson ? { body: JSON.stringify(json) } : {}),
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    const isParsed = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: isParsed && text !== '' ? JSON.parse(text) : text || null,
    };
  };
  return {
    url,
    call,
    get: (path, headers) => call('GET', path, headers === undefined ? {} : { headers }),
    post: (path, json, headers) => call('POST', path, { json, ...(headers === undefined ? {} : { headers }) }),
    async upload(name, source, query = '') {
      const headers = { 'content-type': 'text/javascript' };
      const { status, body } = await call('PUT', `/v1/functions/${name}${query}`, { headers, body: source });
      if (status !== 200 && status !== 201) throw new Error(`${name} was refused: ${JSON.stringify(body)}`);
      return body;
    },
  };
}

/** A node in a process of its own, and its API. */
export async function startApi(
  options: PlatformProcessOptions = {},
): Promise<{ readonly node: PlatformProcess; readonly api: Api } & AsyncDisposable> {
  const flags = ['--sandboxes', '1', ...(options.flags ?? [])];
  const node = await startPlatformProcess({ ...options, flags });
  return { node, api: apiAt(node.httpPort), [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

/** One segment of a path. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}
