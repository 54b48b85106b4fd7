import type { JSX } from 'preact';
import { ChoiceField, TextField } from '../../parts/fields.tsx';
import type { Pair, SampleKind, TrialInput } from './trial-input.ts';

const KINDS = [
  ['entry', 'a stream entry'],
  ['command', 'a command'],
  ['key', 'a change of a key'],
] as const;

/** The sample, with the fields of its kind. */
export function SampleFields({ input }: { readonly input: TrialInput }): JSX.Element {
  const kind = input.kind.value;
  return (
    <>
      <ChoiceField
        label="Sample"
        value={kind}
        choices={KINDS}
        onChoose={(chosen) => {
          input.kind.value = chosen as SampleKind;
        }}
      />
      {kind === 'command' ? (
        <TextField
          label="Arguments"
          hint="one a line, or a JSON array; the trigger’s name is not among them"
          rows={4}
          value={input.args}
        />
      ) : null}
      {kind === 'entry' ? <EntryFields input={input} /> : null}
      {kind === 'key' ? (
        <>
          <TextField label="Key" value={input.key} />
          <TextField label="Event" value={input.event} />
          <TextField label="Value" hint="empty: as it is in Redis" value={input.value} />
        </>
      ) : null}
    </>
  );
}

function EntryFields({ input: { stream, fields } }: { readonly input: TrialInput }): JSX.Element {
  const change = (at: number, pair: Partial<Pair>): void => {
    fields.value = fields.value.map((each, place) => (place === at ? { ...each, ...pair } : each));
  };
  return (
    <>
      <TextField label="Stream" value={stream} />
      <fieldset class="field">
        <legend>Fields</legend>
        {fields.value.map(({ name, value }, at) => (
          <div key={at} class="pair">
            <input
              class="input"
              aria-label={`Name of field ${at + 1}`}
              placeholder="name"
              value={name}
              onInput={(event) => change(at, { name: event.currentTarget.value })}
            />
            <input
              class="input"
              aria-label={`Value of field ${at + 1}`}
              placeholder="value"
              value={value}
              onInput={(event) => change(at, { value: event.currentTarget.value })}
            />
            <button
              type="button"
              class="button button-quiet"
              aria-label={`Remove field ${at + 1}`}
              onClick={() => {
                fields.value = fields.value.filter((_each, place) => place !== at);
              }}
            >
              ×
            </button>
          </div>
        ))}
        <button
          type="button"
          class="button"
          onClick={() => {
            fields.value = [...fields.value, { name: '', value: '' }];
          }}
        >
          Add field
        </button>
      </fieldset>
    </>
  );
}
