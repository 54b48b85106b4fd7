import type { IncomingHttpHeaders } from 'node:http';
import type { Static, TObject, TProperties, TSchema } from 'typebox';
import type { Role } from '../../tokens/role.ts';
import type { EventStream } from './event-stream.ts';

/** Who asks, as far as the door knows. */
export interface Caller {
  readonly role: Role;
  /** Name of the token; null at the open door. */
  readonly name: string | null;
  /** Of the token; null at the open door. */
  readonly tokenId: string | null;
}

/** An uploaded file. */
export interface UploadedFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** A body that may come in several types. */
export type Payload =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'raw'; readonly type: string; readonly bytes: Buffer }
  | {
      readonly kind: 'form';
      readonly fields: Readonly<Record<string, string>>;
      readonly files: readonly UploadedFile[];
    };

/** What a handler gets: everything in it has been checked against the schemas. */
export interface RouteRequest<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Null = there is no body. */
  readonly payload: Payload | null;
  readonly headers: IncomingHttpHeaders;
  readonly caller: Caller;
  /** Id of the request. */
  readonly id: string;
  /** Aborted when the client has gone, or the door closes. */
  readonly signal: AbortSignal;
}

export type RouteAnswer =
  | {
      /** Default 200; 204 when there is no body. */
      readonly status?: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly text: string; readonly type: string; readonly headers?: Readonly<Record<string, string>> }
  /** Server-sent events: the stream is open when it is called, and ends when the client or the door does. */
  | { readonly events: (stream: EventStream) => void };

/** What a body may be, where it is not JSON alone. */
export interface PayloadSpec {
  /** Schema of the JSON form; left out = none is taken. */
  readonly json?: TSchema;
  /** Content types that are taken as they are; `''` = also without any. */
  readonly raw: readonly string[];
  readonly multipart: boolean;
  readonly optional: boolean;
  readonly description: string;
}

export interface AnswerSpec {
  readonly description: string;
  /** Left out = no body. */
  readonly schema?: TSchema;
  /** Default `application/json`. */
  readonly type?: string;
}

/** One route as data: checks, OpenAPI, docs/http.md and the running server come from here. */
export interface RouteSpec<P extends TProperties, Q extends TProperties, B extends TSchema> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** True: answers HEAD, too. */
  readonly head?: boolean;
  /** With parameters in braces: `/v1/functions/{name}`. */
  readonly path: string;
  /** Least role; null = everybody. */
  readonly role: Role | null;
  /** True: answers also while Redis is away or the node drains; tokens then count as they were last known. */
  readonly unconditional?: boolean;
  /** Heading in the documents. */
  readonly area: string;
  /** One line. */
  readonly summary: string;
  readonly description?: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** True: the body may be left out. */
  readonly bodyOptional?: boolean;
  readonly payload?: PayloadSpec;
  readonly maxBodyBytes?: number;
  /** By status. */
  readonly answers: Readonly<Record<number, AnswerSpec>>;
  /** Until an answer must have been found, ms; null = the handler sees to it. Default 15000. */
  readonly deadlineMs?: number | null;
  handle(request: RouteRequest<Static<TObject<P>>, Static<TObject<Q>>, Static<B>>): Promise<RouteAnswer> | RouteAnswer;
}

/** A route whose types have done their work. */
export type HttpRoute = RouteSpec<TProperties, TProperties, TSchema>;

/** Gives a handler the types of its schemas. */
export function defineRoute<
  P extends TProperties = TProperties,
  Q extends TProperties = TProperties,
  B extends TSchema = TSchema,
>(spec: RouteSpec<P, Q, B>): HttpRoute {
  return spec as unknown as HttpRoute;
}
