import { createEventReader, type ServerEvent } from './event-reader.ts';
import { type Problem, ProblemError, unreachable } from './problem.ts';

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Sending {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, with this content type. */
  readonly text?: { readonly type: string; readonly content: string };
}

/** The HTTP API. Every failure is a ProblemError; an abort by the caller is the signal's reason. */
export interface Api {
  get<T>(path: string, query?: Query): Promise<T>;
  send<T>(sending: Sending): Promise<T>;
  /** Reads events until the stream ends or the signal aborts. */
  events(request: EventRequest): Promise<void>;
}

export interface EventRequest {
  readonly path: string;
  readonly query: Query;
  readonly signal: AbortSignal;
  readonly onEvent: (event: ServerEvent) => void;
}

export interface ApiOptions {
  readonly token: () => string | null;
  /** The API asks for a token, or for another one. */
  readonly onUnauthenticated: () => void;
}

/** A path whose parts are encoded: url`/v1/functions/${name}`. */
export function url(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return parts.reduce((path, part, at) => path + encodeURIComponent(String(values[at - 1] ?? '')) + part);
}

export function createApi({ token, onUnauthenticated }: ApiOptions): Api {
  const ask = async (path: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    const held = token();
    if (held !== null) headers.set('authorization', `Bearer ${held}`);
    const response = await fetch(path, { ...init, headers, cache: 'no-store' }).catch((error: unknown) => {
      if (init.signal?.aborted === true) throw error;
      throw unreachable('The node does not answer.');
    });
    if (response.ok) return response;
    if (response.status === 401) onUnauthenticated();
    throw new ProblemError(await problemIn(response));
  };
  return {
    get: async <T>(path: string, query: Query = {}) => answerOf<T>(await ask(withQuery(path, query), {})),
    send: async <T>({ method, path, query = {}, body, text }: Sending) => {
      const content = text?.content ?? (body === undefined ? undefined : JSON.stringify(body));
      const type = text?.type ?? 'application/json';
      const init = content === undefined ? { method } : { method, body: content, headers: { 'content-type': type } };
      return answerOf<T>(await ask(withQuery(path, query), init));
    },
    events: async ({ path, query, signal, onEvent }) => {
      const response = await ask(withQuery(path, query), { signal, headers: { accept: 'text/event-stream' } });
      if (response.body === null) return;
      const read = createEventReader();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        for (const event of read(part.value)) onEvent(event);
      }
    },
  };
}

function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text === '' ? path : `${path}?${text}`;
}

async function answerOf<T>(response: Response): Promise<T> {
  const text = await response.text().catch(() => {
    throw unreachable('The answer of the node broke off.');
  });
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function problemIn(response: Response): Promise<Problem> {
  const text = await response.text().catch(() => '');
  const { status } = response;
  const fallback = { code: `HTTP_${status}`, status, title: response.statusText, instance: null, details: null };
  try {
    return { ...fallback, detail: '', ...(JSON.parse(text) as Partial<Problem>) };
  } catch {
    return { ...fallback, detail: text.slice(0, 500) || `The node answered ${status}.` };
  }
}
