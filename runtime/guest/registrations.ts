import type { Registered } from './builder.ts';
import { type RecordAdapter, recordAdapterOf } from './captured-record.ts';
import { capturedJson } from './captured-registration.ts';
import { describeError } from './describe.ts';
import { guestError } from './errors.ts';
import { flowJson } from './flow-arguments.ts';
import type { HookTrigger, KeysTrigger } from './keys-registration.ts';
import type { Logger } from './log.ts';
import type { Plan } from './plan.ts';
import { bareList, isSafeInteger, promiseOf, promiseThen, quote } from './primordials.ts';
import type { Trigger } from './registration.ts';

/** What a source registers while it is loaded. */
export interface Registrations {
  add(registered: Registered): void;
  /** From now on `register` is an error. */
  close(): void;
  planOf(index: number): Plan;
  /** How its records are made of stream entries; null: they are the entries. */
  adapterOf(index: number): RecordAdapter | null;
  /** JSON list of what `ReportedRegistration` of the functions layer says. */
  json(): string;
  /** Calls every `onRegistered`; what it throws is logged only. */
  announce(logger: Logger): void;
}

function text(value: string | null): string {
  return value === null ? 'null' : quote(value);
}

function streamJson(trigger: Trigger & { readonly kind: 'stream' }): string {
  return `{"kind":"stream","prefix":${quote(trigger.prefix)},"batch":${trigger.batch},"durationMs":${trigger.durationMs},"fromId":${quote(trigger.fromId)},"trimStream":${trigger.trimStream},"onFailedPolicy":${quote(trigger.onFailedPolicy)},"retryIntervalMs":${trigger.retryIntervalMs},"maxAttempts":${trigger.maxAttempts},"maxInFlight":${trigger.maxInFlight},"maxAgeMs":${trigger.maxAgeMs}}`;
}

function namesJson(names: readonly string[] | null): string {
  if (names === null) return 'null';
  let json = '';
  for (let i = 0; i < names.length; i++) json += `${i === 0 ? '' : ','}${quote(names[i] as string)}`;
  return `[${json}]`;
}

function keysJson(trigger: KeysTrigger): string {
  const { delivery } = trigger;
  return `{"kind":"keys","prefix":${quote(trigger.prefix)},"eventTypes":${namesJson(trigger.eventTypes)},"keyTypes":${namesJson(trigger.keyTypes)},"commands":${namesJson(trigger.commands)},"readValue":${trigger.readValue},"quiet":${trigger.quiet},"delivery":{"batch":${delivery.batch},"durationMs":${delivery.durationMs},"onFailedPolicy":${quote(delivery.onFailedPolicy)},"retryIntervalMs":${delivery.retryIntervalMs},"maxAttempts":${delivery.maxAttempts},"maxInFlight":${delivery.maxInFlight},"maxAgeMs":${delivery.maxAgeMs}}}`;
}

function hookJson(trigger: HookTrigger): string {
  return `{"kind":"hook","hook":${quote(trigger.hook)},"keyprefix":${text(trigger.keyprefix)},"inorder":${trigger.inorder}}`;
}

function triggerJson(trigger: Trigger): string {
  if (trigger.kind === 'stream') return streamJson(trigger);
  if (trigger.kind === 'keys') return keysJson(trigger);
  if (trigger.kind === 'hook') return hookJson(trigger);
  if (trigger.kind !== 'command') return capturedJson(trigger);
  return `{"kind":"command","trigger":${quote(trigger.trigger)},"inorder":${trigger.inorder}}`;
}

function stepsJson(registered: Registered): string {
  const { steps } = registered.plan;
  let json = '';
  for (let i = 0; i < steps.length; i++) {
    const arg = registered.argTexts[i] ?? null;
    json += `${i === 0 ? '' : ','}{"type":"${steps[i]?.type as string}","arg":${text(arg)}}`;
  }
  if (registered.arguments.convertToStr) json += `${json === '' ? '' : ','}{"type":"stringify","arg":null}`;
  if (registered.arguments.collect) json += `${json === '' ? '' : ','}{"type":"collect","arg":null}`;
  return json;
}

function registrationJson(registered: Registered, index: number): string {
  const { arguments: given, reader } = registered;
  const description = given.description ?? registered.description;
  const flow = given.flow === null ? '' : `,"flow":${flowJson(given.flow)}`;
  return `{"index":${index},"id":${text(given.id)},"reader":"${reader}","description":${text(description)},"mode":"${given.mode}","trigger":${triggerJson(given.trigger)},"steps":[${stepsJson(registered)}],"convertToStr":${given.convertToStr},"collect":${given.collect},"hasOnRegistered":${given.onRegistered !== null}${flow}}`;
}

export function createRegistrations(): Registrations {
  const list = bareList<Registered>();
  let closed = false;

  function announceOne(registered: Registered, logger: Logger): void {
    const { onRegistered } = registered.arguments;
    if (onRegistered === null) return;
    const failed = (error: unknown): void =>
      logger.write('warning', `onRegistered failed: ${describeError(error).message}`);
    try {
      const out = onRegistered();
      if (typeof out === 'object' && out !== null) promiseThen(promiseOf(out), undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  return {
    add(registered) {
      if (closed) {
        throw guestError(
          'GUEST_ARGUMENT',
          'register works only while the function is loaded, not while an event is handled.',
        );
      }
      list[list.length] = registered;
    },
    close() {
      closed = true;
    },
    planOf(index) {
      const registered = isSafeInteger(index) ? list[index] : undefined;
      if (registered !== undefined) return registered.plan;
      throw guestError('GUEST_ERROR', `The function has no registration ${index}: it registers differently each time.`);
    },
    adapterOf(index) {
      const registered = list[index];
      return registered === undefined ? null : recordAdapterOf(registered.reader);
    },
    json() {
      let json = '';
      for (let i = 0; i < list.length; i++) {
        json += `${i === 0 ? '' : ','}${registrationJson(list[i] as Registered, i)}`;
      }
      return json;
    },
    announce(logger) {
      for (let i = 0; i < list.length; i++) announceOne(list[i] as Registered, logger);
    },
  };
}
