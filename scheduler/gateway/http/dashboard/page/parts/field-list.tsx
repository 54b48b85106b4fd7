import type { JSX } from 'preact';
import type { Bytes } from '../api/types.ts';
import { bytesText, prettyText } from '../text/format.ts';

/** The fields of an entry; values that are JSON are laid out. */
export function FieldList({ fields }: { readonly fields: readonly (readonly [Bytes, Bytes])[] }): JSX.Element {
  return (
    <dl class="fields">
      {fields.map(([name, value], at) => (
        <div key={at}>
          <dt>{bytesText(name)}</dt>
          <dd>
            <pre>{prettyText(bytesText(value))}</pre>
          </dd>
        </div>
      ))}
    </dl>
  );
}
