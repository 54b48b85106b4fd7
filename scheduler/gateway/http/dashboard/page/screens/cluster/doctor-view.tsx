import type { JSX } from 'preact';
import type { Doctor } from '../../api/platform-types.ts';
import { Answer, Badge, Card } from '../../parts/basics.tsx';
import { useFetched } from '../../state/use-list.ts';

const TONES = { ok: 'ok', warning: 'warn', bad: 'bad' } as const;

/** What the platform finds when it looks at itself, and what it advises. */
export function DoctorView(): JSX.Element {
  const answer = useFetched<Doctor>('/v1/doctor');
  return (
    <Card
      title="Doctor"
      tools={
        <button type="button" class="button" onClick={answer.reload}>
          Look again
        </button>
      }
    >
      <Answer to={answer}>
        {({ checks }) => (
          <ul class="checks">
            {checks.map(({ check, state, finding, advice }) => (
              <li key={check}>
                <Badge tone={TONES[state]}>{state}</Badge>
                <div>
                  <strong>{check}</strong> <span class="wrap">{finding}</span>
                  {advice === null || advice === '' ? null : <span class="below soft wrap">{advice}</span>}
                </div>
              </li>
            ))}
          </ul>
        )}
      </Answer>
    </Card>
  );
}
