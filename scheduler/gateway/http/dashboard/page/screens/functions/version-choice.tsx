import type { JSX } from 'preact';
import type { Version } from '../../api/types.ts';

export interface VersionChoiceProps {
  readonly label: string;
  readonly versions: readonly Version[];
  readonly value: number;
  readonly onChoose: (version: number) => void;
}

/** Chooses one version of a function. */
export function VersionChoice({ label, versions, value, onChoose }: VersionChoiceProps): JSX.Element {
  return (
    <label class="field field-inline">
      <span>{label}</span>
      <select class="input" value={String(value)} onChange={(event) => onChoose(Number(event.currentTarget.value))}>
        {versions.map(({ version, active }) => (
          <option key={version} value={String(version)}>
            {version}
            {active ? ' (active)' : ''}
          </option>
        ))}
      </select>
    </label>
  );
}
