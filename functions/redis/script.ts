import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';

/** A Lua script as the server knows it. */
export interface Script {
  /** For logs and errors. */
  readonly name: string;
  readonly source: string;
  /** Lower-case hex SHA-1 of the source, for callers that write EVALSHA themselves. */
  readonly sha: string;
  /**
   * Runs the script, by its digest where the server has it and by its text where not. Rejects with the script's own error
   * or that of the connection. Strings in the reply are UTF-8.
   */
  run(client: Redis | Cluster, keys: readonly ScriptArgument[], args: readonly ScriptArgument[]): Promise<unknown>;
}

export type ScriptArgument = string | number | Buffer;

/**
 * Loads a `.lua` file that stands beside the caller: `defineScript('settle', new URL('./settle.lua', import.meta.url))`.
 * All keys of one call must share a slot.
 */
export function defineScript(name: string, url: URL): Script {
  const source = readFileSync(url, 'utf8');
  const sha = createHash('sha1').update(source).digest('hex');
  return {
    name,
    source,
    sha,
    async run(client, keys, args) {
      // ioredis wants mutable arrays in its overloads; its Cluster has the same call signature as Redis.
      const call = (command: 'EVALSHA' | 'EVAL', script: string): Promise<unknown> =>
        (client as Redis).call(command, script, keys.length, ...keys, ...args);
      try {
        return await call('EVALSHA', sha);
      } catch (reason) {
        if (!isNoScript(reason)) throw reason;
        return call('EVAL', source);
      }
    },
  };
}

/** True for the error a server gives for a digest it does not know: send the text once, with EVAL. */
export function isNoScript(reason: unknown): boolean {
  return reason instanceof Error && reason.message.startsWith('NOSCRIPT');
}
