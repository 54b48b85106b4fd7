import { argumentError } from './arguments.ts';
import { showValue } from './describe.ts';
import { guestError } from './errors.ts';
import { mapGet, mapSet, NativeMap, ownKeys, parseJson } from './primordials.ts';
import type { Turn } from './turn.ts';

/** What operators have set for the function. */
export interface Variables {
  readonly vocabulary: Readonly<Record<string, unknown>>;
  /** Takes the place of what was there: JSON of `{ env, secrets }`. */
  supply(json: string): void;
}

type Texts = InstanceType<typeof NativeMap<string, string>>;

function textsOf(fields: Readonly<Record<string, string>>): Texts {
  const texts = new NativeMap<string, string>();
  const names = ownKeys(fields);
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    mapSet(texts, name, fields[name] as string);
  }
  return texts;
}

/** `env` and `secret`. Both work while an event is handled: what is read as the source is evaluated would never change again. */
export function createVariables(turn: Turn): Variables {
  let env: Texts = new NativeMap<string, string>();
  let secrets: Texts = new NativeMap<string, string>();
  const refuse = (what: string, name: unknown): void => {
    if (typeof name !== 'string') throw argumentError(`${what}: the name must be a string, not ${showValue(name)}.`);
    if (turn.entry !== null) return;
    const message = `${what} works only while an event is handled, not while the function is loaded: its value may change.`;
    throw guestError('GUEST_ERROR', message);
  };
  return {
    vocabulary: {
      env: (name: unknown, preset: unknown = null): unknown => {
        refuse('env', name);
        return mapGet(env, name as string) ?? preset;
      },
      secret: (name: unknown): string => {
        refuse('secret', name);
        const value = mapGet(secrets, name as string);
        if (value !== undefined) return value;
        const shown = showValue(name);
        throw argumentError(
          `secret: ${shown} is not among those the function asks for: configure({ secrets: [${shown}] }).`,
        );
      },
    },
    supply(json) {
      const given = parseJson(json) as { env: Record<string, string>; secrets: Record<string, string> };
      env = textsOf(given.env);
      secrets = textsOf(given.secrets);
    },
  };
}
