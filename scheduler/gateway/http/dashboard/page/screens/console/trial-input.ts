import { type Signal, signal } from '@preact/signals';
import type { Registration, TriggerKind } from '../../api/types.ts';
import type { Draft } from '../../state/draft.ts';

export type SampleKind = 'command' | 'entry' | 'key';

export interface Pair {
  readonly name: string;
  readonly value: string;
}

/** What the person has entered. */
export interface TrialInput {
  /** Empty: the source below is run instead. */
  readonly registrationId: Signal<string>;
  readonly source: Signal<string>;
  readonly kind: Signal<SampleKind>;
  /** One argument a line, or a JSON array. */
  readonly args: Signal<string>;
  readonly stream: Signal<string>;
  readonly fields: Signal<readonly Pair[]>;
  readonly key: Signal<string>;
  readonly event: Signal<string>;
  readonly value: Signal<string>;
  readonly timeoutMs: Signal<string>;
}

const KINDS: Readonly<Record<TriggerKind, SampleKind>> = {
  command: 'command',
  hook: 'command',
  keys: 'key',
  stream: 'entry',
  schedule: 'entry',
  list: 'entry',
  pubsub: 'entry',
};

/** An entry handed over by another screen is taken once. */
export function createTrialInput(registrationId: string, draft: Draft): TrialInput {
  const entry = draft.entry.peek();
  draft.entry.value = null;
  const fields = entry?.fields.map(([name, value]) => ({ name, value })) ?? [{ name: '', value: '' }];
  return {
    registrationId: signal(registrationId),
    source: signal(''),
    kind: signal<SampleKind>('entry'),
    args: signal(''),
    stream: signal(entry?.stream ?? ''),
    fields: signal<readonly Pair[]>(fields),
    key: signal(''),
    event: signal('set'),
    value: signal(''),
    timeoutMs: signal('10000'),
  };
}

/** Fits the sample to what the registration waits for; what has been entered stays. */
export function suit({ kind, stream, key }: TrialInput, registration: Registration | undefined): void {
  if (registration === undefined) return;
  kind.value = KINDS[registration.trigger.kind];
  const pattern = ['stream', 'prefix', 'list', 'channel', 'pattern', 'key']
    .map((name) => registration.trigger[name])
    .find((value) => typeof value === 'string');
  const sample = typeof pattern === 'string' ? pattern.replace('*', 'sample') : '';
  if (kind.value === 'entry' && stream.value === '') stream.value = sample;
  if (kind.value === 'key' && key.value === '') key.value = sample;
}

/** The body of `POST /v1/try`. */
export function trialBody(input: TrialInput): object {
  const registrationId = input.registrationId.value;
  const what = registrationId === '' ? { source: input.source.value, language: 'ts' } : { registrationId };
  return { ...what, ...sampleOf(input), timeoutMs: Number(input.timeoutMs.value) || 10_000 };
}

function sampleOf({ kind, args, stream, fields, key, event, value }: TrialInput): object {
  if (kind.value === 'command') return { command: { args: argumentsOf(args.value) } };
  if (kind.value === 'key') {
    const given = value.value === '' ? {} : { value: value.value };
    return { key: { key: key.value, event: event.value, ...given } };
  }
  const named = fields.value.filter(({ name }) => name !== '').map((field) => [field.name, field.value]);
  return { entry: { stream: stream.value, fields: Object.fromEntries(named) as Record<string, string> } };
}

/** A JSON array as it is; else each line is one argument, as text. */
export function argumentsOf(text: string): readonly unknown[] {
  if (text.trim().startsWith('[')) {
    try {
      const parsed: unknown = JSON.parse(text);
      if (Array.isArray(parsed)) return parsed;
    } catch {
      // No JSON: lines.
    }
  }
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
