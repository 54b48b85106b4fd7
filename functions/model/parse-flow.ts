import type { FlowControl, RateLimit } from './flow-control.ts';
import { parseFilter } from './parse-filter.ts';
import { runsPerRecord, type StepSpec, type TriggerSpec } from './plan.ts';
import type { FieldReader } from './untrusted.ts';

export const FLOW_FIELDS = ['filter', 'rateLimit', 'concurrency', 'key'] as const;

const DAY_MS = 86_400_000;
const MOST = 1_000_000;

/** What the arguments about flow are checked against. */
export interface FlowContext {
  readonly trigger: TriggerSpec;
  readonly steps: readonly StepSpec[];
}

/** @param fields the object a sandbox reported. Errors: MANIFEST_INVALID naming the argument. */
export function parseFlow(fields: FieldReader, context: FlowContext): FlowControl {
  if (context.trigger.kind === 'hook') refuseAll(fields);
  const flow = {
    filter: fields.isNull('filter')
      ? null
      : parseFilter(fields.raw('filter'), `${fields.path}.filter`, context.trigger),
    rate: fields.isNull('rateLimit') ? null : parseRate(fields.object('rateLimit', ['count', 'perMs'])),
    concurrency: fields.isNull('concurrency') ? null : fields.whole('concurrency', 1, MOST),
    keyed: fields.flag('key'),
  };
  if (flow.keyed && !runsPerRecord(context.steps)) {
    fields.refuse('key', 'left out: steps that bind records together cannot run apart by key');
  }
  return flow;
}

function parseRate(fields: FieldReader): RateLimit {
  return { count: fields.whole('count', 1, MOST), perMs: fields.whole('perMs', 1, DAY_MS) };
}

function refuseAll(fields: FieldReader): never {
  const given = FLOW_FIELDS.find((name) => !fields.isNull(name) && fields.raw(name) !== false) ?? 'filter';
  return fields.refuse(given, 'left out: a hook answers every call of its command');
}
