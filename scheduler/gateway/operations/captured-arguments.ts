import type {
  CapturedDelivery,
  HookTriggerSpec,
  KeysTriggerSpec,
  ListTriggerSpec,
  PubSubTriggerSpec,
  ScheduleTriggerSpec,
} from '#functions';
import type { ReplyValue } from './operation.ts';

type Captured = ScheduleTriggerSpec | ListTriggerSpec | PubSubTriggerSpec | KeysTriggerSpec;

/** Arguments of a registration whose events the platform captures itself, labelled by the names `register` takes. */
export function capturedArguments(trigger: Captured | HookTriggerSpec): ReplyValue {
  if (trigger.kind === 'hook') {
    return ['hook', trigger.hook, 'keyprefix', trigger.keyprefix, 'inorder', Number(trigger.inorder)];
  }
  return [...sourceArguments(trigger), ...deliveryArguments(trigger.delivery)];
}

function sourceArguments(trigger: Captured): readonly ReplyValue[] {
  switch (trigger.kind) {
    case 'schedule': {
      const { cron, timeZone, everyMs, atMs, missed } = trigger;
      return Object.entries({ cron, timeZone, everyMs, atMs, missed }).flat();
    }
    case 'list':
      return ['lists', trigger.lists, 'from', trigger.from];
    case 'pubsub': {
      const { channels, patterns, sharded, durable } = trigger;
      return ['channels', channels, 'patterns', patterns, 'sharded', Number(sharded), 'durable', Number(durable)];
    }
    case 'keys': {
      const { prefix, eventTypes, keyTypes, commands, readValue, quiet } = trigger;
      const filters = Object.entries({ prefix, eventTypes, keyTypes, commands }).flat();
      return [...filters, 'readValue', Number(readValue), 'quiet', Number(quiet)];
    }
  }
}

function deliveryArguments(delivery: CapturedDelivery): readonly ReplyValue[] {
  const { batch, durationMs, onFailedPolicy, retryIntervalMs, maxAttempts, maxInFlight, maxAgeMs } = delivery;
  return Object.entries({
    batch,
    durationMs,
    onFailedPolicy,
    retryIntervalMs,
    maxAttempts,
    maxInFlight,
    maxAgeMs,
  }).flat();
}
