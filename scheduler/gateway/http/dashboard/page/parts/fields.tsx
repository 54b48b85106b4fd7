import type { Signal } from '@preact/signals';
import type { JSX, TargetedEvent } from 'preact';
import { useId } from 'preact/hooks';

export interface TextFieldProps {
  readonly label: string;
  readonly value: Signal<string>;
  /** More than one makes a field of several lines, for source or JSON. */
  readonly rows?: number;
  readonly placeholder?: string;
  readonly hint?: string;
  /** What is typed is not shown, and no browser keeps it. */
  readonly isHidden?: boolean;
}

const HIDDEN = { type: 'password', autocomplete: 'new-password' } as const;

/** A field for text. */
export function TextField({
  label,
  value,
  rows = 1,
  placeholder,
  hint,
  isHidden = false,
}: TextFieldProps): JSX.Element {
  const id = useId();
  const take = (event: TargetedEvent<HTMLInputElement | HTMLTextAreaElement>): void => {
    value.value = event.currentTarget.value;
  };
  const shared = { id, value: value.value, placeholder, onInput: take, spellcheck: false };
  return (
    <div class="field">
      <label htmlFor={id}>
        {label}
        {hint === undefined ? null : <span class="soft"> {hint}</span>}
      </label>
      {rows === 1 ? (
        <input class="input" {...shared} {...(isHidden ? HIDDEN : {})} />
      ) : (
        <textarea class="input" rows={rows} {...shared} />
      )}
    </div>
  );
}

export interface CheckFieldProps {
  readonly label: string;
  readonly value: Signal<boolean>;
}

export function CheckField({ label, value }: CheckFieldProps): JSX.Element {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={value.value}
        onChange={(event) => {
          value.value = event.currentTarget.checked;
        }}
      />
      {label}
    </label>
  );
}

export interface ChoiceFieldProps {
  readonly label: string;
  readonly value: string;
  /** Value and what is shown of it. */
  readonly choices: readonly (readonly [string, string])[];
  readonly onChoose: (value: string) => void;
}

/** A choice beside its label. */
export function ChoiceField({ label, value, choices, onChoose }: ChoiceFieldProps): JSX.Element {
  return (
    <label class="field field-inline">
      <span>{label}</span>
      <select class="input" value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        {choices.map(([each, name]) => (
          <option key={each} value={each}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
