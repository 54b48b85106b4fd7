import { isUtf8 } from 'node:buffer';
import { timeOfId } from '#functions';
import { type Output, printable } from '../render.ts';
import { timeOf } from '../time.ts';
import { type Entry, entryJson } from './entries.ts';

export interface EntryLook {
  /** Each field on a line of its own. */
  readonly isLong: boolean;
  /** Whose entry it is, where there are several streams. */
  readonly namesStream: boolean;
  /** Only these fields; null = all. */
  readonly fields: readonly string[] | null;
}

/** Prints an entry: a line for people, or one object with `--json`. */
export function showEntry(output: Output, entry: Entry, look: EntryLook): void {
  const { fields } = look;
  const kept = fields === null ? entry.fields : entry.fields.filter(([name]) => fields.includes(name.toString()));
  const shown = { ...entry, fields: kept };
  output.record(entryJson(shown), () => {
    const time = output.style('faint', timeOf(timeOfId(entry.id)) ?? '-');
    const stream = look.namesStream ? ` ${output.style('name', printable(entry.stream))}` : '';
    const head = `${time}${stream} ${output.style('title', entry.id)}`;
    if (!look.isLong) return output.line([head, ...kept.map((pair) => fieldText(output, pair))].join('  '));
    output.line(head);
    const width = Math.max(0, ...kept.map(([name]) => bytesText(name).length));
    for (const [name, value] of kept) {
      output.line(`  ${output.style('name', bytesText(name).padEnd(width))}  ${bytesText(value)}`);
    }
  });
}

function fieldText(output: Output, [name, value]: readonly [Buffer, Buffer]): string {
  const text = bytesText(value);
  const isOneWord = text !== '' && !/[\s"=]/.test(text);
  return `${output.style('name', bytesText(name))}=${isOneWord ? text : `"${text.replaceAll('"', '\\"')}"`}`;
}

/** UTF-8 as it is, with nothing in it that steers the terminal; other bytes as `\xff`. */
function bytesText(bytes: Buffer): string {
  if (isUtf8(bytes)) return printable(bytes.toString());
  const isPlain = (byte: number): boolean => byte >= 0x20 && byte < 0x7f;
  return [...bytes]
    .map((byte) => (isPlain(byte) ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`))
    .join('');
}
