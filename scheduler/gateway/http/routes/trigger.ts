import type { IncomingHttpHeaders } from 'node:http';
import { Type } from 'typebox';
import { decodeReply, encodeCommand, latin1FromUtf8, PlatformError } from '#functions';
import type { TraceContext } from '#runtime';
import type { SchedulerErrorCode } from '../../../errors.ts';
import { callFailure, NOT_RUN_CODES } from '../../../triggers/command-reply.ts';
import { argumentBytes, type JsonValue, jsonValue, parsedValue } from '../../operations/json-values.ts';
import type { HttpDependencies } from '../dependencies.ts';
import type { CallAnswer } from '../idempotency.ts';
import { defineRoute, type HttpRoute, type Payload, type RouteRequest } from '../route.ts';
import { SpanMs, shape, Value } from '../schemas/parts.ts';
import { RESULTS_QUERY } from './executions.ts';

const MOST_ARGUMENTS = 10_000;
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const LONGEST_MS = 600_000;
const DEFAULT_MS = 30_000;
const KEY = /^[\x21-\x7e]{1,255}$/;
/** Of what W3C Trace Context allows; longer ones are left alone. */
const LONGEST_TRACE_HEADER = 512;
const RAW_TYPES = ['text/plain', 'application/octet-stream'];

export const Timeout = Type.Optional(Type.Integer({ minimum: 1, maximum: LONGEST_MS, default: DEFAULT_MS }));
export const Argument = Type.Unknown({
  description: 'text; number or boolean (as text); object or array (as JSON text); `{ "base64" }` for bytes',
});
const Arguments = Type.Array(Argument, { maxItems: MOST_ARGUMENTS });

/** `POST /v1/trigger/{name}`. */
export function triggerRoute(dependencies: HttpDependencies): HttpRoute {
  return defineRoute({
    ...{ method: 'POST', path: '/v1/trigger/{name}', role: 'invoke', area: 'Running' },
    summary: 'Call a command function',
    description:
      'With header `Idempotency-Key` (1 to 255 visible characters) the call runs once: whoever comes with the same key waits for it, or ' +
      'gets its answer again. With headers `traceparent` and `tracestate` (W3C Trace Context) the call belongs to that trace. When `timeoutMs` is over the answer is 504; the call itself goes on.',
    params: { name: Type.String({ minLength: 1, maxLength: 1_024, description: 'What it was registered as' }) },
    query: { timeoutMs: Timeout, ...RESULTS_QUERY },
    payload: {
      json: Type.Union([Arguments, shape({ args: Arguments })]),
      raw: RAW_TYPES,
      multipart: false,
      optional: true,
      description: 'send arguments as JSON, or one as text',
    },
    maxBodyBytes: MAX_BODY_BYTES,
    deadlineMs: null,
    answers: {
      200: {
        description: 'What the function returned',
        schema: shape({ results: Type.Array(Value), durationMs: SpanMs, replayed: Type.Boolean() }),
      },
    },
    async handle(request) {
      const { params, query, payload } = request;
      const name = latin1FromUtf8(params.name);
      const args = encodeCommand([name, ...argumentsOf(payload)]);
      const trace = traceOf(request.headers);
      const run = (): Promise<CallAnswer> => callNow(dependencies, { name, args, trace });
      const { reply, durationMs, replayed } = await runWithin(dependencies, request, { args, run });
      const failure = callFailure(reply);
      if (failure !== null) throw failure;
      const values = jsonValue(decodeReply(reply)) as readonly JsonValue[];
      const results = query.results === 'json' ? values.map(parsedValue) : values;
      return { body: { results, durationMs, replayed }, headers: replayed ? { 'idempotency-replayed': 'true' } : {} };
    },
  });
}

function argumentsOf(payload: Payload | null): readonly string[] {
  if (payload === null || payload.kind === 'form') return [];
  if (payload.kind === 'raw') return [payload.bytes.toString('latin1')];
  const given = Array.isArray(payload.value) ? payload.value : (payload.value as { readonly args: unknown[] }).args;
  return given.map(argumentBytes);
}

interface OwnCall {
  readonly name: string;
  readonly args: string;
  readonly trace: TraceContext | undefined;
}

function traceOf({ traceparent, tracestate }: IncomingHttpHeaders): TraceContext | undefined {
  if (typeof traceparent !== 'string' || traceparent.length > LONGEST_TRACE_HEADER) return undefined;
  return typeof tracestate === 'string' && tracestate.length <= LONGEST_TRACE_HEADER
    ? { traceparent, tracestate }
    : { traceparent };
}

function callNow({ calls }: HttpDependencies, { name, args, trace }: OwnCall): Promise<CallAnswer> {
  const beginMs = performance.now();
  return new Promise((resolve) => {
    const answer = (reply: string): void =>
      resolve({ reply, durationMs: Math.round((performance.now() - beginMs) * 1_000) / 1_000 });
    if (trace === undefined) calls.call(name, args, answer);
    else calls.callWithin(trace, { name, args, answer });
  });
}

type Request = RouteRequest<{ readonly name: string }, { readonly timeoutMs?: number | undefined }, unknown>;

interface Call {
  readonly args: string;
  run(): Promise<CallAnswer>;
}

async function runWithin(
  { idempotency }: HttpDependencies,
  { headers, query, caller, signal }: Request,
  { args, run }: Call,
): Promise<CallAnswer & { readonly replayed: boolean }> {
  const key = headers['idempotency-key'];
  if (key !== undefined && (typeof key !== 'string' || !KEY.test(key))) throw wrongKey(String(key));
  const timeoutMs = query.timeoutMs ?? DEFAULT_MS;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(timedOut(timeoutMs)), timeoutMs);
  const waiting = AbortSignal.any([signal, late.signal]);
  try {
    if (key === undefined) return { ...(await waitFor(run(), waiting)), replayed: false };
    const scope = caller.tokenId ?? '';
    const hasNotRun = ({ reply }: CallAnswer): boolean => NOT_RUN_CODES.has(callFailure(reply)?.code ?? '');
    return await idempotency.once({ key, scope, call: args, signal: waiting, run, hasNotRun });
  } finally {
    clearTimeout(timer);
  }
}

function waitFor<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

function timedOut(timeoutMs: number): PlatformError<SchedulerErrorCode> {
  const message = `no answer within ${timeoutMs} ms (timeoutMs); the call goes on`;
  return new PlatformError('CALL_TIMED_OUT', message, { retryable: true, details: { timeoutMs } });
}

function wrongKey(key: string): PlatformError {
  const message = `Idempotency-Key is "${key.slice(0, 100)}"; allowed are 1 to 255 visible ASCII characters`;
  return new PlatformError('ARGUMENT_INVALID', message, { details: { at: 'headers', path: '/idempotency-key' } });
}
