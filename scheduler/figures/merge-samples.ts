import { createBuckets, percentile } from './durations.ts';
import type { NodeSample, Probe, Sample, SandboxSum } from './figures.ts';

/** A node's word counts for so long; nodes do not speak at the same moment. */
const GOOD_FOR_MS = 2_500;

/** One node's samples, oldest first. */
export type NodeSamples = readonly NodeSample[];

/** The fleet at a moment; null when no node had spoken. */
export function mergeAt(nodes: readonly NodeSamples[], atMs: number, probe: Probe | null): Sample | null {
  const spoken = nodes.map((samples) => lastBefore(samples, atMs)).filter((sample) => sample !== null);
  return spoken.length === 0 ? null : merge(spoken, atMs, probe);
}

/** Every second from the first sample to the last. */
export function mergeAll(nodes: readonly NodeSamples[], stepMs: number): readonly Sample[] {
  const times = nodes.flatMap((samples) => samples.map(({ atMs }) => atMs));
  if (times.length === 0) return [];
  const last = Math.max(...times);
  const merged: Sample[] = [];
  let probe: Probe | null = null;
  for (let atMs = last - Math.floor((last - Math.min(...times)) / stepMs) * stepMs; atMs <= last; atMs += stepMs) {
    probe = probeAt(nodes, atMs) ?? probe;
    const sample = mergeAt(nodes, atMs, probe);
    if (sample !== null) merged.push(sample);
  }
  return merged;
}

/** The newest measurement that had been made by then. */
export function probeAt(nodes: readonly NodeSamples[], atMs: number): Probe | null {
  const measured = nodes.flatMap((samples) => samples.findLast((one) => one.atMs <= atMs && one.probe !== null) ?? []);
  return measured.sort((a, b) => b.atMs - a.atMs)[0]?.probe ?? null;
}

function lastBefore(samples: NodeSamples, atMs: number): NodeSample | null {
  const sample = samples.findLast((one) => one.atMs <= atMs);
  return sample !== undefined && atMs - sample.atMs <= GOOD_FOR_MS ? sample : null;
}

function merge(samples: readonly NodeSample[], atMs: number, probe: Probe | null): Sample {
  const perSecond = (of: (sample: NodeSample) => number): number =>
    rounded(samples.reduce((sum, sample) => sum + (of(sample) * 1_000) / Math.max(1, sample.spanMs), 0));
  return {
    atMs,
    nodes: samples.length,
    entries: {
      done: perSecond(({ entries }) => entries.done),
      filtered: perSecond(({ entries }) => entries.filtered),
      dead: perSecond(({ entries }) => entries.dead),
      expired: perSecond(({ entries }) => entries.expired),
    },
    executions: perSecond(({ executions }) => executions),
    errors: perSecond(({ errors }) => errors),
    retries: perSecond(({ retries }) => retries),
    durationMs: durationsOf(samples),
    lag: probe?.lag ?? null,
    deadLetters: probe?.deadLetters ?? null,
    sandboxes: sandboxesOf(samples),
    nodeResidentBytes: samples.reduce((sum, { nodeResidentBytes }) => sum + nodeResidentBytes, 0),
    loopDelayMs: Math.max(...samples.map(({ loopDelayMs }) => loopDelayMs)),
  };
}

function durationsOf(samples: readonly NodeSample[]): Sample['durationMs'] {
  const buckets = createBuckets();
  for (const { durations } of samples) {
    for (const [bucket, count] of durations) buckets[bucket] = (buckets[bucket] ?? 0) + count;
  }
  const [p50, p99, max] = [percentile(buckets, 0.5), percentile(buckets, 0.99), percentile(buckets, 1)];
  return p50 == null || p99 == null || max == null ? null : { p50: rounded(p50), p99: rounded(p99), max: rounded(max) };
}

function sandboxesOf(samples: readonly NodeSample[]): SandboxSum {
  const sumOf = (of: (sum: SandboxSum) => number): number =>
    samples.reduce((sum, { sandboxes }) => sum + of(sandboxes), 0);
  return {
    processes: sumOf(({ processes }) => processes),
    isolates: sumOf(({ isolates }) => isolates),
    residentBytes: sumOf(({ residentBytes }) => residentBytes),
    largestBytes: Math.max(...samples.map(({ sandboxes }) => sandboxes.largestBytes)),
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
