import { expect, test } from 'vitest';
import type { StepType } from '../../../functions/model/plan.ts';
import { cutPlan } from '../../../scheduler/executions/cut-plan.ts';

const cut = (text: string, local = false): string[] =>
  cutPlan(
    text
      .split(' ')
      .filter(Boolean)
      .map((type) => ({ type: type as StepType })),
    { local },
  ).map(({ firstStep, endStep, spread, output }) => `${firstStep}-${endStep} ${spread ? 'shards' : 'once'} ${output}`);

test('a plan of local steps is one stage, a collect at its end costs none', () => {
  expect(cut('')).toEqual(['0-0 shards results']);
  expect(cut('map filter stringify collect')).toEqual(['0-3 shards results']);
  expect(cut('map collect collect')).toEqual(['0-1 shards results']);
});

test('collect ends a stage on the shards, what follows runs once', () => {
  expect(cut('accumulate collect accumulate stringify collect')).toEqual(['0-1 shards records', '2-4 once results']);
});

test('repartition ends a stage, what follows runs on the shards again', () => {
  expect(cut('extractkey repartition accumulatebykey map stringify collect')).toEqual([
    '0-1 shards partitioned',
    '2-5 shards results',
  ]);
  expect(cut('map collect extractkey repartition map')).toEqual([
    '0-1 shards records',
    '2-3 once partitioned',
    '4-5 shards results',
  ]);
});

test('collecting what is collected passes records through', () => {
  expect(cut('map collect map collect map')).toEqual(['0-1 shards records', '2-5 once results']);
});

test('on one shard everything is one stage', () => {
  expect(cut('extractkey repartition accumulatebykey collect accumulate', true)).toEqual(['0-5 shards results']);
});
