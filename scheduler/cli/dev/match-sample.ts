import { type ActiveRegistration, latin1FromUtf8, matchesGlob, parseEntryId, type TriggerSpec } from '#functions';
import type { TrialEvent } from '../../gateway/operations/trial.ts';
import type { Sample, SampleEvent } from './sample.ts';

/** A sample for one registration that waits for such an event. */
export interface Match {
  readonly registration: ActiveRegistration;
  readonly event: TrialEvent;
}

/** The registrations that the event of a sample would start, each with the event as it sees it. */
export function matchSample(
  { registrationId, event }: Sample,
  registrations: readonly ActiveRegistration[],
): readonly Match[] {
  return registrations
    .filter(({ spec }) => registrationId === null || spec.id === registrationId)
    .flatMap((registration) => {
      const found = eventFor(event, registration);
      return found === null ? [] : [{ registration, event: found }];
    });
}

type Of<Kind extends SampleEvent['kind']> = Extract<SampleEvent, { readonly kind: Kind }>;

function eventFor(event: SampleEvent, { spec }: ActiveRegistration): TrialEvent | null {
  const { trigger } = spec;
  switch (event.kind) {
    case 'stream':
      return trigger.kind === 'stream' && hasPrefix(event.stream, trigger.prefix) ? entryOf(event) : null;
    case 'trigger':
      return callOf(event, trigger);
    case 'command':
      return hookEvent(event, trigger);
    case 'key':
      return keyEvent(event, trigger);
    case 'list':
      return itemOf(event, trigger);
    case 'channel':
      return messageEvent(event, trigger);
    case 'schedule':
      return trigger.kind === 'schedule' && matchesGlob(event.schedule, spec.id) ? tickOf(spec.id) : null;
    case 'send':
      return null;
  }
}

function callOf({ trigger: name, args }: Of<'trigger'>, trigger: TriggerSpec): TrialEvent | null {
  return trigger.kind === 'command' && trigger.trigger === name ? { kind: 'command', args } : null;
}

function itemOf({ list, item }: Of<'list'>, trigger: TriggerSpec): TrialEvent | null {
  const isMeant = trigger.kind === 'list' && trigger.lists.some((each) => latin1FromUtf8(each) === list);
  return isMeant ? captured({ key: list, value: item }) : null;
}

function entryOf({ stream, id, fields }: Of<'stream'>): TrialEvent {
  return { kind: 'entry', stream, id: id === null ? `${Date.now()}-0` : parseEntryId(id), fields };
}

/** As the platform keeps events that are no entries by themselves. */
function captured(fields: Readonly<Record<string, string>>): TrialEvent {
  return { kind: 'entry', stream: '', id: `${Date.now()}-0`, fields: Object.entries(fields) };
}

function hookEvent({ command: [name = '', ...args] }: Of<'command'>, trigger: TriggerSpec): TrialEvent | null {
  if (trigger.kind !== 'hook' || trigger.hook !== name.toLowerCase()) return null;
  const { keyprefix } = trigger;
  const isMeant = keyprefix === null || args.some((arg) => arg.startsWith(latin1FromUtf8(keyprefix)));
  return isMeant ? { kind: 'command', args } : null;
}

function keyEvent({ key, event }: Of<'key'>, trigger: TriggerSpec): TrialEvent | null {
  if (trigger.kind !== 'keys' || !hasPrefix(key, trigger.prefix)) return null;
  const isHeard = trigger.eventTypes === null || trigger.eventTypes.includes(event.toLowerCase());
  return isHeard ? { kind: 'key', key, event } : null;
}

function messageEvent({ channel, message }: Of<'channel'>, trigger: TriggerSpec): TrialEvent | null {
  if (trigger.kind !== 'pubsub') return null;
  if (trigger.channels.some((each) => latin1FromUtf8(each) === channel))
    return captured({ channel, pattern: '', message });
  const pattern = trigger.patterns.map(latin1FromUtf8).find((each) => matchesGlob(each, channel));
  return pattern === undefined ? null : captured({ channel, pattern, message });
}

function tickOf(id: string): TrialEvent {
  return captured({ schedule: latin1FromUtf8(id), at: String(Date.now()), tick: '1', late: '0' });
}

/** @param key latin1. */
function hasPrefix(key: string, prefix: string): boolean {
  const bytes = latin1FromUtf8(prefix);
  return bytes.endsWith('*') ? key.startsWith(bytes.slice(0, -1)) : key === bytes;
}
