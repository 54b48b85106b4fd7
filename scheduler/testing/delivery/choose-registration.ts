import { matchesGlob, PlatformError, type RegistrationSpec } from '#functions';
import type { TestEvent } from '../events.ts';

export interface ChooseOptions {
  readonly functionName: string;
  readonly registrations: readonly RegistrationSpec[];
  /** Id of the registration that is meant, where several match. */
  readonly id: string | undefined;
}

/**
 * The registration that an event goes to. Errors: ARGUMENT_INVALID when none is registered for it, or several are and none is
 * named; the message lists what there is.
 */
export function chooseRegistration(
  event: TestEvent,
  { functionName, registrations, id }: ChooseOptions,
): RegistrationSpec {
  const matching = registrations.filter((spec) => takes(spec, event));
  const [only, ...others] = id === undefined ? matching : matching.filter((spec) => spec.id === id);
  if (only !== undefined && others.length === 0) return only;
  const wanted = id === undefined ? describeEvent(event) : `${describeEvent(event)} and is called "${id}"`;
  if (only === undefined) {
    const list = registrations.map(({ id: known }) => known).join(', ') || 'nothing';
    throw new PlatformError(
      'ARGUMENT_INVALID',
      `${functionName} registers nothing for ${wanted}; it registers ${list}`,
    );
  }
  throw new PlatformError(
    'ARGUMENT_INVALID',
    `several registrations of ${functionName} are for ${wanted}; name one with { registration }: ${matching.map((spec) => spec.id).join(', ')}`,
  );
}

function takes({ trigger }: RegistrationSpec, event: TestEvent): boolean {
  switch (event.kind) {
    case 'stream':
      return trigger.kind === 'stream' && matchesPrefix(trigger.prefix, event.key);
    case 'command':
      return trigger.kind === 'command' && event.calls.every(([name]) => name === trigger.trigger);
    case 'hook':
      return trigger.kind === 'hook' && event.calls.every((call) => hooks(trigger, call.map(String)));
    case 'keys':
      return trigger.kind === 'keys' && event.events.every(({ key }) => matchesPrefix(trigger.prefix, key));
    case 'items':
      return trigger.kind === 'list' && trigger.lists.includes(event.key);
    case 'messages':
      return trigger.kind === 'pubsub' && event.messages.every((message) => hears(trigger, message));
    case 'ticks':
      return trigger.kind === 'schedule';
    case 'run':
      return false;
  }
}

/** Where the keys of a command stand is the server's affair: any argument may be the one. */
function hooks(
  trigger: { readonly hook: string; readonly keyprefix: string | null },
  [name = '', ...args]: readonly string[],
): boolean {
  const { keyprefix } = trigger;
  return name.toLowerCase() === trigger.hook && (keyprefix === null || args.some((one) => one.startsWith(keyprefix)));
}

function hears(
  { channels, patterns }: { readonly channels: readonly string[]; readonly patterns: readonly string[] },
  { channel, pattern }: { readonly channel: string; readonly pattern?: string },
): boolean {
  if (pattern === undefined) return channels.includes(channel);
  return patterns.includes(pattern) && matchesGlob(pattern, channel);
}

function matchesPrefix(prefix: string, key: string): boolean {
  return prefix.endsWith('*') ? key.startsWith(prefix.slice(0, -1)) : key === prefix;
}

function describeEvent(event: TestEvent): string {
  switch (event.kind) {
    case 'stream':
      return `entries of the stream "${event.key}"`;
    case 'command':
      return `the trigger "${String(event.calls[0]?.[0])}"`;
    case 'hook':
      return `the command ${String(event.calls[0]?.[0]).toUpperCase()} with these arguments`;
    case 'keys':
      return `events of the key "${event.events[0]?.key}"`;
    case 'items':
      return `items of the list "${event.key}"`;
    case 'messages':
      return `messages on the channel "${event.messages[0]?.channel}"${event.messages[0]?.pattern === undefined ? '' : ` by the pattern "${event.messages[0].pattern}"`}`;
    case 'ticks':
      return 'ticks';
    case 'run':
      return 'a batch run';
  }
}
