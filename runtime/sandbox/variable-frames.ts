import type { GuestVariables } from '../variables.ts';
import { type Frame, jsonFrame } from './frames.ts';
import { ToSandbox, type VariablesMessage } from './messages.ts';

/** A frame that gives an isolate what its version may read by name, in the place of what it had. */
export function encodeVariables(batch: number, handle: number, variables: GuestVariables | null): Buffer {
  const { env, secrets } = variables ?? { env: {}, secrets: {} };
  const message: VariablesMessage = { handle, env, secrets };
  return jsonFrame({ type: ToSandbox.variables, batch }, message);
}

export function decodeVariables(frame: Frame): VariablesMessage {
  return JSON.parse(frame.body.toString('utf8')) as VariablesMessage;
}
