import type { ActiveRegistration, CapturedDelivery, TriggerSpec } from '../../../functions/index.ts';
import { registration } from '../consumer/harness.ts';

/** What differs from the defaults in a registration whose events the platform captures. */
export interface CapturedOverrides extends Partial<CapturedDelivery> {
  readonly mode?: ActiveRegistration['spec']['mode'];
  readonly state?: ActiveRegistration['state'];
}

/** A registration of such a reader, with short back-offs. */
export function captured(
  id: string,
  makeTrigger: (delivery: CapturedDelivery) => TriggerSpec,
  overrides: CapturedOverrides = {},
): ActiveRegistration {
  const { mode = 'async_local', state = 'running', ...delivery } = overrides;
  const active = registration({ id, mode, state });
  const trigger = makeTrigger({
    batch: 1,
    durationMs: 0,
    onFailedPolicy: 'retry',
    retryIntervalMs: 10,
    maxAttempts: 3,
    maxInFlight: 1_000,
    maxAgeMs: null,
    ...delivery,
  });
  return { ...active, spec: { ...active.spec, trigger } };
}
