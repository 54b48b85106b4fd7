import { argsOf, createCommandScan, encodeCommand, scanCommand } from '#functions';
import type { CommandPolicy } from '../bindings/binding.ts';
import type { Invocation } from '../invocation.ts';

/**
 * What hooks hand on for their clients. A command as the client sent it is the client's own affair; one that the function has
 * changed is a command of the function, and policy sees it like any other.
 */
export class HandedOn {
  readonly #invocation: Pick<Invocation, 'next' | 'payload' | 'entryCount'>;
  readonly #policy: CommandPolicy;
  /** Where each entry begins in the payload; found when the first command is handed on. */
  #starts: Int32Array | null = null;

  constructor(invocation: Pick<Invocation, 'next' | 'payload' | 'entryCount'>, policy: CommandPolicy) {
    this.#invocation = invocation;
    this.#policy = policy;
  }

  /** @param command one RESP command whose name is a placeholder. Resolves with the reply, which may be an error. */
  async send(entry: number, command: string): Promise<string> {
    const { next, entryCount } = this.#invocation;
    if (next === undefined || entry >= entryCount) return '-ERR Can not get CommandHook ctx\r\n';
    const sent = argsAt(this.#invocation.payload, this.#startOf(entry));
    const [, ...given] = argsAt(command, 0);
    const isChanged = given.length !== sent.length - 1 || given.some((argument, at) => argument !== sent[at + 1]);
    const refusal = isChanged ? this.#policy.checkOne(encodeCommand([sent[0] ?? '', ...given])) : null;
    return refusal?.reply ?? (await next(entry, command));
  }

  #startOf(entry: number): number {
    this.#starts ??= this.#findStarts();
    return this.#starts[entry] ?? 0;
  }

  #findStarts(): Int32Array {
    const { payload, entryCount } = this.#invocation;
    const starts = new Int32Array(entryCount);
    const scan = createCommandScan();
    let from = payload.indexOf('\n') + 1;
    for (let entry = 0; entry < entryCount; entry += 1) {
      starts[entry] = from;
      scanCommand(payload, from, scan);
      from = scan.end;
    }
    return starts;
  }
}

function argsAt(text: string, from: number): readonly string[] {
  const scan = createCommandScan();
  scanCommand(text, from, scan);
  return argsOf(text, scan);
}
