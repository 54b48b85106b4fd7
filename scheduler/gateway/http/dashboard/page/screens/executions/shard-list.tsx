import type { JSX } from 'preact';
import type { ExecutionShard, Step } from '../../api/types.ts';
import { Card, Facts } from '../../parts/basics.tsx';
import { count, plural, rate, span } from '../../text/format.ts';

export interface ShardListProps {
  readonly shards: readonly ExecutionShard[];
  readonly steps: readonly Step[];
}

/** What each shard has done, with the time of each step as a bar. */
export function ShardList({ shards, steps }: ShardListProps): JSX.Element {
  const longest = Math.max(1, ...shards.flatMap((shard) => shard.steps.map(({ durationMs }) => durationMs)));
  const isMeasured = shards.some((shard) => shard.steps.some(({ durationMs }) => durationMs > 0));
  return (
    <Card title="Shards and steps">
      {isMeasured ? null : (
        <p class="soft">
          The times of steps are not measured. Switch on option <code>ProfileExecutions</code> under{' '}
          <a href="#/cluster/options">Cluster</a> before a run.
        </p>
      )}
      {shards.length === 0 ? (
        <StepList steps={steps.map((step) => ({ ...step, durationMs: 0 }))} longest={longest} />
      ) : null}
      {shards.map((shard) => (
        <section key={shard.shardId} class="shard">
          <h3>
            Shard <code>{shard.shardId}</code>
          </h3>
          <Facts
            facts={[
              ['Status', `${shard.status}, stage ${shard.stage} of ${shard.stages}`],
              ['Attempts', shard.attempts > 1 ? count(shard.attempts) : null],
              ['Read', `${plural(shard.recordsRead, 'record')}, ${rate(shard.recordsPerSecond)}/s`],
              ['Time', `${span(shard.totalMs)}, of which reading ${span(shard.readMs)}`],
            ]}
          />
          <StepList steps={shard.steps} longest={longest} />
        </section>
      ))}
    </Card>
  );
}

interface StepListProps {
  readonly steps: ExecutionShard['steps'];
  readonly longest: number;
}

function StepList({ steps, longest }: StepListProps): JSX.Element {
  return (
    <ol class="steps">
      {steps.map(({ type, arg, durationMs }, at) => (
        <li key={at}>
          <strong>{type}</strong> {arg === null || arg === '' ? null : <code class="wrap">{arg}</code>}
          {durationMs === 0 ? null : (
            <span class="step-time">
              <meter min={0} max={longest} value={durationMs} aria-label={`Time of step ${at + 1}`} />{' '}
              <span class="step-amount">{span(durationMs)}</span>
            </span>
          )}
        </li>
      ))}
    </ol>
  );
}
