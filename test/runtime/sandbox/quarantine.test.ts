import { expect, test } from 'vitest';
import { createQuarantine } from '../../../runtime/sandbox/quarantine.ts';

test('a version runs alone after so many crashes and is stopped after as many more', () => {
  const quarantine = createQuarantine({ afterCrashes: 2 });
  expect(quarantine.standingOf('v')).toBe('shared');
  expect(quarantine.crashed('v', 0)).toBeNull();
  expect(quarantine.crashed('v', 1)).toBe('alone');
  expect(quarantine.crashed('v', 2)).toBeNull();
  expect(quarantine.crashed('v', 3)).toBe('stopped');
  expect(quarantine.crashed('v', 4)).toBeNull();
  expect(quarantine.standingOf('v')).toBe('stopped');
  expect(quarantine.standingOf('other')).toBe('shared');
});

test('crashes that are long ago do not count', () => {
  const quarantine = createQuarantine({ afterCrashes: 2, windowMs: 1000 });
  expect(quarantine.crashed('v', 0)).toBeNull();
  expect(quarantine.crashed('v', 1000)).toBeNull();
  expect(quarantine.crashed('v', 1500)).toBe('alone');
});

test('a forgotten version starts afresh, a stopped one comes back alone', () => {
  const quarantine = createQuarantine({ afterCrashes: 1 });
  quarantine.crashed('alone', 0);
  quarantine.forget('alone');
  expect(quarantine.standingOf('alone')).toBe('shared');
  quarantine.crashed('stopped', 0);
  quarantine.crashed('stopped', 0);
  quarantine.forget('stopped');
  expect(quarantine.standingOf('stopped')).toBe('alone');
});
