import type { JSX } from 'preact';
import type { ExecutionStatus } from '../../api/types.ts';
import { Badge } from '../../parts/basics.tsx';

const TONES = { created: 'calm', running: 'accent', done: 'ok', aborted: 'warn' } as const;

export interface ExecutionStateProps {
  readonly status: ExecutionStatus;
  readonly errors: number;
}

export function ExecutionState({ status, errors }: ExecutionStateProps): JSX.Element {
  return (
    <>
      <Badge tone={errors > 0 && status === 'done' ? 'bad' : TONES[status]}>{status}</Badge>
      {errors === 0 ? null : <span class="soft"> with errors</span>}
    </>
  );
}
