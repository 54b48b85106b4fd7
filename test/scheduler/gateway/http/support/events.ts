import { request } from 'node:http';
import { waitFor } from '../../../../support/wait.ts';
import type { Json } from './api.ts';

export interface ServerEvent {
  readonly event: string;
  readonly id: string | null;
  readonly data: Json;
}

/** Server-sent events of one address as they come. */
export interface Follower extends AsyncDisposable {
  readonly events: readonly ServerEvent[];
  readonly ended: boolean;
  readonly status: number;
  /** The first event of this name that fits; waits for it. */
  next(event: string, fits?: (data: Json) => boolean): Promise<ServerEvent>;
}

/** Resolves when the headers are there. */
export async function follow(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Follower> {
  const events: ServerEvent[] = [];
  let ended = false;
  let rest = '';
  const asked = request(url, { headers });
  asked.on('error', () => {
    ended = true;
  });
  asked.end();
  const [response] = await new Promise<[import('node:http').IncomingMessage]>((resolve, reject) => {
    asked.once('response', (message) => resolve([message]));
    asked.once('error', reject);
  });
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n\n');
    rest = parts.pop() ?? '';
    events.push(...parts.map(parse).filter((one) => one !== null));
  });
  for (const name of ['end', 'close', 'error']) {
    response.on(name, () => {
      ended = true;
    });
  }
  return {
    events,
    get ended() {
      return ended;
    },
    status: response.statusCode ?? 0,
    async next(event, fits = () => true) {
      const find = (): ServerEvent | undefined => events.find((one) => one.event === event && fits(one.data));
      await waitFor(() => find() !== undefined, { what: `event ${event} of ${url}` });
      return find() as ServerEvent;
    },
    async [Symbol.asyncDispose]() {
      asked.destroy();
    },
  };
}

function parse(block: string): ServerEvent | null {
  const field = (name: string): string | null => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? null;
  const event = field('event');
  return event === null ? null : { event, id: field('id'), data: JSON.parse(field('data') ?? 'null') as Json };
}
