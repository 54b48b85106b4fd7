import { latin1FromUtf8 } from '#functions';
import type { HookTable } from './hooks.ts';
import type { CommandIntercept, Pass } from './interception.ts';
import type { KeyCapture } from './keys-capture.ts';

export interface CommandInterceptOptions {
  readonly hooks: HookTable;
  readonly keys: KeyCapture;
}

/** Hooks stand before the command, newest first; what is behind them all is captured as any write is. */
export function createCommandIntercept({ hooks, keys }: CommandInterceptOptions): CommandIntercept {
  const merged = { hooks: hooks.names, keys: keys.names, names: union(hooks.names, keys.names) };
  return {
    get names() {
      if (merged.hooks !== hooks.names || merged.keys !== keys.names) {
        merged.hooks = hooks.names;
        merged.keys = keys.names;
        merged.names = union(hooks.names, keys.names);
      }
      return merged.names;
    },
    find(args) {
      const hasHook = hooks.concerns(args);
      if (!hasHook && !keys.concerns(args)) return null;
      const run = async (pass: Pass): Promise<string> => {
        const captured: Pass = (sent) => keys.capture(sent, pass);
        try {
          return hasHook ? await hooks.run(args, captured) : await captured(args);
        } catch (error) {
          const text = error instanceof Error ? error.message : String(error);
          return `-ERR ${latin1FromUtf8(text).replaceAll(/[\r\n]+/g, ' ')}\r\n`;
        }
      };
      return { run };
    },
  };
}

function union(some: ReadonlySet<string>, more: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...some, ...more]);
}
