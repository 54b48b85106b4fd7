import { type Frame, jsonFrame } from './frames.ts';
import { FromSandbox, type IsolateUsage, ToSandbox } from './messages.ts';
import { readUsage } from './notes.ts';

/** Frames that ask what the isolates of a process take, and answer it. */
export function encodeUsageQuestion(batch: number): Buffer {
  return jsonFrame({ type: ToSandbox.usage, batch }, {});
}

export function encodeUsage(batch: number, usages: readonly IsolateUsage[]): Buffer {
  return jsonFrame({ type: FromSandbox.done, batch }, { usages });
}

/** Throws ProtocolError when it is none. */
export function decodeUsage(frame: Frame): readonly IsolateUsage[] {
  return readUsage(frame.body);
}
