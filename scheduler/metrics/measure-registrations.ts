import type { Registry } from '#functions';
import { ENTRY_ENDS } from '../delivery.ts';
import { BUCKET_BOUNDS_MS, createBuckets } from '../figures/durations.ts';
import type { Meter, Totals } from '../figures/meter.ts';
import type { StreamTrigger } from '../triggers/stream.ts';
import { NODE_FAMILIES } from './catalogue.ts';
import type { HistogramSample, LabelValues, Measured } from './exposition.ts';
import { createLabelBounds, registrationLabels, summed } from './label-bounds.ts';
import { labelled } from './measured.ts';

export interface RegistrationFacts {
  readonly meter: Pick<Meter, 'totals'>;
  readonly registry: Pick<Registry, 'snapshot'>;
  readonly streams: Pick<StreamTrigger, 'facts'>;
  readonly mostLabels: number;
}

const MS = 1_000;
/** Every fourth bucket of the meter, each 2.4 times the one before: from half a millisecond to a minute. */
const STEP = 4;
const FIRST_MS = 0.4;
const LAST_MS = 90_000;
/** Position among the meter's buckets, and bound as scrapers see it, seconds. */
const BOUNDS: readonly (readonly [bucket: number, seconds: number])[] = BUCKET_BOUNDS_MS.flatMap((ms, bucket) =>
  bucket % STEP === 0 && ms >= FIRST_MS && ms <= LAST_MS ? [[bucket, Number((ms / MS).toPrecision(4))] as const] : [],
);

const NOTHING: Totals = {
  entries: { done: 0, filtered: 0, dead: 0, expired: 0 },
  executions: 0,
  errors: 0,
  retries: 0,
  durationMs: 0,
  durations: createBuckets(),
};

/** Measures what this node has done for each registration. Labels stay with who has them, so sums never go back. */
export function createRegistrationMeasure({
  meter,
  registry,
  streams,
  mostLabels,
}: RegistrationFacts): () => readonly Measured[] {
  const bounds = createLabelBounds(mostLabels, registrationLabels);
  return () => {
    const done = meter.totals();
    // What has done nothing yet counts 0, so that the first time is an increase.
    const idle = [...registry.snapshot().registrations.keys()].filter((id) => !done.has(id));
    const totals = summed(
      [...done, ...idle.map((id) => [id, NOTHING] as const)].map(([id, one]) => [bounds.of(id), one] as const),
      joined,
    );
    const each = (of: (one: Totals) => number): readonly (readonly [LabelValues, number])[] =>
      totals.map(([labels, one]) => [labels, of(one)]);
    const ends = totals.flatMap(([labels, { entries }]) =>
      ENTRY_ENDS.map((end) => [{ ...labels, end }, entries[end]] as const),
    );
    const lanes = streams.facts().map((lane) => [bounds.of(lane.registrationId), lane] as const);
    const ofLanes = (of: (lane: (typeof lanes)[number][1]) => number): readonly (readonly [LabelValues, number])[] =>
      summed(
        lanes.map(([labels, lane]) => [labels, of(lane)] as const),
        (a, b) => a + b,
      );
    return [
      labelled(NODE_FAMILIES.entries, ends),
      labelled(
        NODE_FAMILIES.executions,
        each(({ executions }) => executions),
      ),
      labelled(
        NODE_FAMILIES.errors,
        each(({ errors }) => errors),
      ),
      labelled(
        NODE_FAMILIES.retries,
        each(({ retries }) => retries),
      ),
      { family: NODE_FAMILIES.duration, samples: totals.map(([labels, one]) => histogram(labels, one)) },
      labelled(
        NODE_FAMILIES.inWork,
        ofLanes(({ inWork }) => inWork),
      ),
      labelled(
        NODE_FAMILIES.waiting,
        ofLanes(({ waiting }) => waiting),
      ),
    ];
  };
}

function histogram(labels: LabelValues, { durations, durationMs }: Totals): HistogramSample {
  const buckets: (readonly [number, number])[] = [];
  let below = 0;
  let at = 0;
  for (const [bucket, seconds] of BOUNDS) {
    for (; at <= bucket; at += 1) below += durations[at] ?? 0;
    buckets.push([seconds, below]);
  }
  for (; at < durations.length; at += 1) below += durations[at] ?? 0;
  return { labels, buckets, count: below, sum: durationMs / MS };
}

function joined(a: Totals, b: Totals): Totals {
  return {
    entries: {
      done: a.entries.done + b.entries.done,
      filtered: a.entries.filtered + b.entries.filtered,
      dead: a.entries.dead + b.entries.dead,
      expired: a.entries.expired + b.entries.expired,
    },
    executions: a.executions + b.executions,
    errors: a.errors + b.errors,
    retries: a.retries + b.retries,
    durationMs: a.durationMs + b.durationMs,
    durations: a.durations.map((count, bucket) => count + (b.durations[bucket] ?? 0)),
  };
}
