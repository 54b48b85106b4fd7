import process from 'node:process';
import type { MetricsOptions } from './create-metrics.ts';
import { NODE_FAMILIES } from './catalogue.ts';
import type { LabelValues, Measured } from './exposition.ts';
import { createRegistrationMeasure } from './measure-registrations.ts';
import { createLabelBounds, type LabelBounds, summed } from './label-bounds.ts';
import { counts, labelled, single, truth } from './measured.ts';
import type { SandboxCounts } from './sandbox-counts.ts';

export type NodeFacts = MetricsOptions & { readonly sandboxCounts: SandboxCounts };

const FAMILIES = NODE_FAMILIES;
const MS = 1_000;
const US = 1_000_000;
const ROLES = ['shared', 'alone', 'spare'] as const;
const STATES = ['running', 'paused', 'aborted', 'quarantined'] as const;

/** Measures this node without asking anybody. @param isRedisUp of what it returns: whether Redis has answered. */
export function createNodeMeasure(facts: NodeFacts): (isRedisUp: boolean) => readonly Measured[] {
  const functions = createLabelBounds(facts.mostLabels, (name: string): LabelValues => ({ function: name }));
  const measureRegistrations = createRegistrationMeasure(facts);
  return (isRedisUp) => [
    ...measureState(facts, isRedisUp),
    ...measureRegistrations(),
    ...measureSandboxes(facts, functions),
    ...measureProcess(facts),
  ];
}

function measureState(facts: NodeFacts, isRedisUp: boolean): readonly Measured[] {
  const { fleet, version, registry, streams } = facts;
  const parts = Object.entries(facts.readiness());
  const readers = streams.facts().filter(({ running, state }) => running && state === 'ready');
  const states = new Map<string, number>(STATES.map((state) => [state, 0]));
  for (const { state } of registry.snapshot().registrations.values()) states.set(state, (states.get(state) ?? 0) + 1);
  return [
    labelled(FAMILIES.info, [[{ node: fleet.self.nodeId, version }, 1]]),
    single(FAMILIES.ready, truth(parts.every(([, ready]) => ready))),
    labelled(
      FAMILIES.part,
      parts.map(([part, ready]) => [{ part }, truth(ready)]),
    ),
    single(FAMILIES.redisUp, truth(isRedisUp)),
    single(FAMILIES.readers, readers.length),
    single(FAMILIES.silent, streams.readers().silent.length),
    counts(FAMILIES.registrations, 'state', states),
  ];
}

function measureSandboxes(facts: NodeFacts, functions: LabelBounds<string>): readonly Measured[] {
  const { runtime, sandboxCounts, sandboxBytes } = facts;
  const pool = runtime.inspectPool();
  const ofRole = (role: (typeof ROLES)[number]): typeof pool => pool.filter((one) => one.role === role);
  const bytes = (processes: typeof pool): number => processes.reduce((sum, one) => sum + one.residentBytes, 0);
  return [
    labelled(
      FAMILIES.processes,
      ROLES.map((role) => [{ role }, ofRole(role).length]),
    ),
    labelled(
      FAMILIES.resident,
      ROLES.map((role) => [{ role }, bytes(ofRole(role))]),
    ),
    single(FAMILIES.largest, Math.max(0, ...pool.map(({ residentBytes }) => residentBytes))),
    single(FAMILIES.limit, sandboxBytes),
    single(
      FAMILIES.isolates,
      pool.reduce((sum, { versions }) => sum + versions.length, 0),
    ),
    labelled(FAMILIES.heap, summed(heaps(facts, functions), added)),
    counts(FAMILIES.deaths, 'cause', sandboxCounts.deaths),
    labelled(FAMILIES.crashes, summed(crashesByFunction(facts, functions), added)),
    counts(FAMILIES.quarantines, 'verdict', sandboxCounts.quarantines),
  ];
}

/** Functions in force that have never crashed count 0. */
function crashesByFunction(
  { registry, sandboxCounts: { crashes } }: NodeFacts,
  functions: LabelBounds<string>,
): readonly (readonly [LabelValues, number])[] {
  const inForce = [...registry.snapshot().registrations.values()].map(({ functionName }) => functionName);
  const names = new Set([...crashes.keys(), ...inForce]);
  return [...names].map((name) => [functions.of(name), crashes.get(name) ?? 0] as const);
}

/** Of each version in each process that had the time to tell. */
function heaps({ figures }: NodeFacts, functions: LabelBounds<string>): readonly (readonly [LabelValues, number])[] {
  const versions = figures.self().usage.flatMap((one) => one.versions);
  return versions.flatMap(({ functionName, usage }) =>
    usage === null ? [] : [[functions.of(functionName), usage.heapBytes + usage.externalBytes] as const],
  );
}

function measureProcess({ figures, spans }: NodeFacts): readonly Measured[] {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  const { exported, failed, dropped } = spans();
  return [
    single(FAMILIES.spansExported, exported),
    labelled(FAMILIES.spansDropped, [
      [{ reason: 'queue' }, dropped],
      [{ reason: 'export' }, failed],
    ]),
    single(FAMILIES.loopDelay, figures.self().loopDelayMs / MS),
    single(FAMILIES.cpu, (user + system) / US),
    single(FAMILIES.started, performance.timeOrigin / MS),
    single(FAMILIES.nodeResident, rss),
    single(FAMILIES.nodeHeap, heapUsed),
  ];
}

function added(a: number, b: number): number {
  return a + b;
}
