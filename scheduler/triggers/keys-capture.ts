import { encodeCommand, type RedisAccess } from '#functions';
import type { Pass } from './interception.ts';
import { eventsOf, type KeyEvent, looksMissing } from './key-events.ts';
import { KEY_MISS, type KeysRegistration, type KeysTable } from './keys-table.ts';
import type { KeysWaiters } from './keys-waiters.ts';
import type { KeysWriter, TakenEvent } from './keys-writer.ts';

/** Takes the events of a client's command at the door, before the client has its reply. */
export interface KeyCapture {
  readonly names: ReadonlySet<string>;
  /** True when the command may raise an event that a registration wants. */
  concerns(args: readonly string[]): boolean;
  /**
   * Sends the command, writes the events it has raised, waits for the executions that its client is tied to, and resolves
   * with the reply: the command's own, or what an execution gave instead.
   */
  capture(args: readonly string[], pass: Pass): Promise<string>;
}

export interface KeyCaptureOptions {
  readonly access: Pick<RedisAccess, 'commands'>;
  readonly table: () => KeysTable;
  readonly writer: KeysWriter;
  readonly waiters: KeysWaiters;
}

/** An event without what is the same for all events of a command. */
interface Wanted extends KeyEvent {
  readonly shared: readonly KeysRegistration[];
  readonly linked: readonly KeysRegistration[];
}

export function createKeyCapture({ access, table, writer, waiters }: KeyCaptureOptions): KeyCapture {
  async function missesOf(args: readonly string[], reply: string, pass: Pass): Promise<readonly KeyEvent[]> {
    const command = commandOf(args);
    const facts = access.commands.find(command, args[1]);
    if (!facts?.flags.has('readonly') || !looksMissing(reply)) return [];
    const keys = access.commands.keysOf(args).filter((key) => table().wantsMiss(command, key));
    const events: KeyEvent[] = [];
    for (const key of keys) {
      const found = await pass(['EXISTS', key]);
      if (found === ':0\r\n') events.push({ event: KEY_MISS, key, certain: true });
    }
    return events;
  }

  async function wantedOf(args: readonly string[], reply: string, pass: Pass): Promise<readonly Wanted[]> {
    const command = commandOf(args);
    const events = [...eventsOf(args, reply), ...(await missesOf(args, reply, pass))];
    return events
      .map((event) => ({
        ...event,
        shared: table().shared(event.event, event.key),
        linked: table().linked(command, event.event, event.key),
      }))
      .filter(({ shared, linked }) => shared.length + linked.length > 0);
  }

  return {
    get names() {
      return table().names;
    },
    concerns: (args) => table().concerns(commandOf(args), access.commands.keysOf(args)),
    async capture(args, pass) {
      await writer.ready(access.commands.keysOf(args).map((key) => ({ key })));
      const sentAtMs = performance.now();
      const reply = await pass(args);
      const wanted = await wantedOf(args, reply, pass);
      if (wanted.length === 0) return reply;
      const tied = wanted.map(({ shared, linked }) => ({
        linked: linked.filter(({ isRunning }) => isRunning).length,
        shared: shared.filter((one) => one.isRunning && tiesClients(one)).length,
      }));
      const most = tied.reduce((sum, one) => sum + one.linked + one.shared, 0);
      if (most > 0) await waiters.open();
      const wait = most > 0 ? waiters.wait(most) : null;
      const command = wanted.some(({ linked }) => linked.length > 0) ? encodeCommand(args) : '';
      const events: TakenEvent[] = wanted.map((event, at) => ({
        ...event,
        sentAtMs,
        command,
        token: wait === null ? '' : `${wait.token}:${at}`,
      }));
      const written = await writer.write('door', events);
      if (wait === null) return reply;
      // What the listener has written already carries no token.
      tied.forEach(({ shared }, at) => {
        if (written[at] !== true) wait.less(shared);
      });
      const override = await wait.ended;
      return override === '' ? reply : override;
    },
  };
}

/** True when replies of clients wait for the registration. */
export function tiesClients({ active, commands }: KeysRegistration): boolean {
  return commands !== null || active.spec.mode === 'sync';
}

function commandOf(args: readonly string[]): string {
  return (args[0] ?? '').toLowerCase();
}
