import {
  type CapturedDelivery,
  type ListTriggerSpec,
  latin1FromUtf8,
  type RedisAccess,
  type RegistrationSpec,
  type StreamTriggerSpec,
} from '#functions';
import type { SchedulerKeys } from '../keys.ts';
import { keyStreamsOf } from './key-streams.ts';

/** The streams a registration's events come from: the user's own, or those the platform writes captured events to. */
export interface StreamSource {
  readonly trigger: StreamTriggerSpec;
  /** Stream name, or its begin when `isPrefix`; latin1. */
  readonly pattern: string;
  readonly isPrefix: boolean;
  /** Streams known by name, latin1; none when `isPrefix`. */
  readonly streams: readonly string[];
}

export interface StreamNaming {
  readonly keys: Pick<SchedulerKeys, 'captured' | 'items'>;
  readonly access: Pick<RedisAccess, 'tagOf'>;
}

/** Null for registrations whose events come from no stream. */
export function streamSourceOf(spec: RegistrationSpec, naming: StreamNaming): StreamSource | null {
  const { trigger } = spec;
  switch (trigger.kind) {
    case 'command':
    case 'hook':
      return null;
    case 'stream': {
      const isPrefix = trigger.prefix.endsWith('*');
      const pattern = latin1FromUtf8(isPrefix ? trigger.prefix.slice(0, -1) : trigger.prefix);
      return { trigger, pattern, isPrefix, streams: isPrefix ? [] : [pattern] };
    }
    case 'keys':
      return capturedSource(keyStreamsOf(spec.id, naming), trigger.delivery);
    case 'list':
      return capturedSource(itemStreamsOf(spec.id, trigger, naming), trigger.delivery);
    default:
      return capturedSource([capturedStreamOf(spec.id, naming)], trigger.delivery);
  }
}

/** Where the events of a schedule or of channels are written; latin1. */
export function capturedStreamOf(registrationId: string, { keys, access }: StreamNaming): string {
  const id = latin1FromUtf8(registrationId);
  return keys.captured(access.tagOf(id), id);
}

/** Where the items of a list go: a stream in the list's slot, so that one script moves them; latin1. */
export function itemStreamOf(registrationId: string, list: string, { keys, access }: StreamNaming): string {
  return keys.items(access.tagOf(latin1FromUtf8(list)), latin1FromUtf8(registrationId));
}

function itemStreamsOf(registrationId: string, { lists }: ListTriggerSpec, naming: StreamNaming): readonly string[] {
  return [...new Set(lists.map((list) => itemStreamOf(registrationId, list, naming)))];
}

function capturedSource(streams: readonly string[], delivery: CapturedDelivery): StreamSource {
  const [pattern = ''] = streams;
  return { trigger: streamFormOf(delivery), pattern, isPrefix: false, streams };
}

/** Nobody else reads these streams: what has an end is deleted. */
function streamFormOf(delivery: CapturedDelivery): StreamTriggerSpec {
  return { kind: 'stream', prefix: '', fromId: '0', trimStream: true, ...delivery };
}
