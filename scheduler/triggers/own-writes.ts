import { argOf, argsOf, createCommandScan, replyStarts, scanCommand } from '#functions';
import { eventsOf, raisesEvents } from './key-events.ts';
import type { KeysTable } from './keys-table.ts';
import type { KeysWriter, TakenEvent } from './keys-writer.ts';

/** Stands around the commands that functions send: what they write raises events, or none where they asked for quiet. */
export type AroundCommands = (commands: string, count: number, send: () => Promise<string>) => Promise<string>;

export interface OwnWritesOptions {
  readonly table: KeysTable;
  readonly writer: KeysWriter;
  readonly quiet: boolean;
}

interface Found {
  readonly at: number;
  readonly args: readonly string[];
}

/** Undefined when nobody wants to know. */
export function aroundOwnWrites({ table, writer, quiet }: OwnWritesOptions): AroundCommands | undefined {
  if (!table.listens) return undefined;
  const taken = (args: readonly string[], reply: string | null, sentAtMs: number): readonly TakenEvent[] =>
    eventsOf(args, reply)
      .map((event) => ({ ...event, shared: table.shared(event.event, event.key) }))
      .filter(({ shared }) => shared.length > 0)
      .map((event) => ({ ...event, sentAtMs, linked: [], command: '', token: '' }));

  async function report(found: readonly Found[], count: number, send: () => Promise<string>): Promise<string> {
    await writer.ready(found.flatMap(({ args }) => taken(args, null, 0)));
    const sentAtMs = performance.now();
    const replies = await send();
    const replyAt = replyReader(replies, count);
    await writer.write(
      'door',
      found.flatMap(({ at, args }) => taken(args, replyAt(at), sentAtMs)),
    );
    return replies;
  }

  /** The listener is told beforehand what not to hear; what has not happened after all is taken back. */
  async function hush(found: readonly Found[], count: number, send: () => Promise<string>): Promise<string> {
    await writer.ready(found.flatMap(({ args }) => taken(args, null, 0)));
    const sentAtMs = performance.now();
    const possible = found.map(({ at, args }) => ({ at, args, events: taken(args, null, sentAtMs) }));
    await writer.write(
      'hush',
      possible.flatMap(({ events }) => events),
    );
    const replies = await send();
    const replyAt = replyReader(replies, count);
    const idle = possible.flatMap(({ at, args, events }) => {
      const happened = new Set(taken(args, replyAt(at), sentAtMs).map(({ event, key }) => `${event} ${key}`));
      return events.filter(({ event, key }) => !happened.has(`${event} ${key}`));
    });
    if (idle.length > 0) await writer.write('unhush', idle);
    return replies;
  }

  return (commands, count, send) => {
    const found = writesIn(commands, count, table);
    if (found.length === 0) return send();
    return quiet ? hush(found, count, send) : report(found, count, send);
  };
}

function replyReader(replies: string, count: number): (at: number) => string {
  const starts = replyStarts(replies, count);
  return (at) => replies.slice(starts[at], at + 1 < count ? starts[at + 1] : replies.length);
}

function writesIn(commands: string, count: number, table: KeysTable): readonly Found[] {
  const found: Found[] = [];
  const scan = createCommandScan();
  let from = 0;
  for (let at = 0; at < count; at += 1) {
    if (scanCommand(commands, from, scan) === null) break;
    const name = argOf(commands, scan, 0).toLowerCase();
    if (raisesEvents(name) && table.names.has(name)) found.push({ at, args: argsOf(commands, scan) });
    from = scan.end;
  }
  return found;
}
