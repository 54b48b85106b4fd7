import { describe, expect, test } from 'vitest';
import { FLEET_FAMILIES, NODE_FAMILIES, queryName } from '../../../scheduler/metrics/catalogue.ts';
import { expose, formatFor, type Measured } from '../../../scheduler/metrics/exposition.ts';
import { createLabelBounds, registrationLabels, summed } from '../../../scheduler/metrics/label-bounds.ts';
import { createRegistrationMeasure } from '../../../scheduler/metrics/measure-registrations.ts';
import { createMeter } from '../../../scheduler/figures/meter.ts';

const counter: Measured = {
  family: { name: 'x_things', type: 'counter', labels: ['a'], help: 'Things \\ of\na kind' },
  samples: [{ labels: { a: 'say "hi"\\\n' }, value: 3 }],
};
const gauge: Measured = {
  family: { name: 'x_age_seconds', type: 'gauge', unit: 'seconds', labels: [], help: 'Age' },
  samples: [{ labels: {}, value: 0.5 }],
};
const histogram: Measured = {
  family: { name: 'x_time_seconds', type: 'histogram', unit: 'seconds', labels: [], help: 'Time' },
  samples: [
    {
      labels: { f: 'g' },
      buckets: [
        [0.1, 1],
        [2, 3],
      ],
      count: 4,
      sum: 7.5,
    },
  ],
};

describe('the text of a scrape', () => {
  test('names, types and escapes as Prometheus reads it', () => {
    expect(expose([counter, gauge, histogram, { ...gauge, samples: [] }], 'text')).toBe(
      [
        '# HELP x_things_total Things \\\\ of\\na kind',
        '# TYPE x_things_total counter',
        'x_things_total{a="say \\"hi\\"\\\\\\n"} 3',
        '# HELP x_age_seconds Age',
        '# TYPE x_age_seconds gauge',
        'x_age_seconds 0.5',
        '# HELP x_time_seconds Time',
        '# TYPE x_time_seconds histogram',
        'x_time_seconds_bucket{f="g",le="0.1"} 1',
        'x_time_seconds_bucket{f="g",le="2"} 3',
        'x_time_seconds_bucket{f="g",le="+Inf"} 4',
        'x_time_seconds_sum{f="g"} 7.5',
        'x_time_seconds_count{f="g"} 4',
        '',
      ].join('\n'),
    );
  });

  test('is OpenMetrics for those who ask for it: units, counters named without their suffix, an end', () => {
    const text = expose([counter, gauge], formatFor('application/openmetrics-text;version=1.0.0;q=0.5,text/plain'));
    expect(text).toContain('# TYPE x_things counter\nx_things_total{');
    expect(text).toContain('# UNIT x_age_seconds seconds\n');
    expect(text.endsWith('\n# EOF\n')).toBe(true);
    expect([formatFor(undefined), formatFor('text/plain, */*')]).toEqual(['text', 'text']);
  });
});

describe('the catalogue', () => {
  const all = [...Object.values(NODE_FAMILIES), ...Object.values(FLEET_FAMILIES)];
  test('names each metric once, in the style of the ecosystem, with its unit at the end', () => {
    expect(new Set(all.map(queryName)).size).toBe(all.length);
    for (const { name, type, ...family } of all) {
      expect(name).toMatch(/^(regears|process|nodejs)(_[a-z]+)+$/);
      expect(name.endsWith('_total')).toBe(false);
      if ('unit' in family) expect(name.endsWith(`_${family.unit}`)).toBe(true);
      expect(['counter', 'gauge', 'histogram']).toContain(type);
    }
  });
});

describe('labels', () => {
  test('are given to the first ones and kept, the others share one', () => {
    const bounds = createLabelBounds(2, registrationLabels);
    expect(bounds.of('f/stream/a')).toEqual({ function: 'f', registration: 'f/stream/a' });
    bounds.of('g/stream/b');
    expect(bounds.of('h/stream/c')).toEqual({ function: 'other', registration: 'other' });
    expect(bounds.of('g/stream/b')).toEqual({ function: 'g', registration: 'g/stream/b' });
    expect(
      summed(
        ['h/stream/c', 'i/x/y', 'f/stream/a'].map((id) => [bounds.of(id), 1 as number] as const),
        (a, b) => a + b,
      ).map(([{ registration }, value]) => [registration, value]),
    ).toEqual([
      ['other', 2],
      ['f/stream/a', 1],
    ]);
  });

  test('sum up what many registrations did, so that nothing is lost and no counter goes back', () => {
    const meter = createMeter();
    const registry = {
      snapshot: () => ({ revision: 1, functions: new Map(), registrations: new Map([['f/stream/idle', {}]]) }),
    };
    const measure = createRegistrationMeasure({
      meter,
      registry: registry as never,
      streams: { facts: () => [] },
      mostLabels: 1,
    });
    const valuesOf = (family: string): readonly (readonly [string, number])[] =>
      measure()
        .filter(({ family: { name } }) => name === family)
        .flatMap(({ samples }) =>
          samples.map((one) => [one.labels.registration ?? '', 'count' in one ? one.count : one.value] as const),
        );
    meter.run('f/stream/a', { success: 2, failures: 1, durationMs: 3 });
    expect(valuesOf('regears_executions')).toEqual([
      ['f/stream/a', 3],
      ['other', 0],
    ]);
    meter.run('f/stream/b', { success: 1, durationMs: 500 });
    meter.run('f/stream/c', { success: 5, durationMs: 500_000 });
    expect(valuesOf('regears_executions')).toEqual([
      ['f/stream/a', 3],
      ['other', 6],
    ]);
    expect(valuesOf('regears_execution_duration_seconds')).toEqual([
      ['f/stream/a', 3],
      ['other', 6],
    ]);
    const [, other] = measure().find(({ family }) => family.type === 'histogram')?.samples ?? [];
    if (other === undefined || !('buckets' in other)) throw new Error('there is no histogram');
    expect(other.sum).toBeCloseTo(0.5 + 5 * 500, 6);
    expect(other.buckets.map(([, below]) => below)).toEqual(other.buckets.map(([bound]) => (bound < 0.5 ? 0 : 1)));
  });
});
