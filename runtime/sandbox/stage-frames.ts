import { type Frame, jsonFrame, numberAndText } from './frames.ts';
import { type SourcesSpec, type StageOpening, ToSandbox } from './messages.ts';

/** Frames that open and close stages of batch runs; what is fed to them travels as `run`. */
export function encodeOpenStage(batch: number, opening: StageOpening): Buffer {
  return jsonFrame({ type: ToSandbox.openStage, batch }, opening);
}

export function encodeCloseStage(batch: number, stage: number): Buffer {
  return numberAndText({ type: ToSandbox.closeStage, batch }, stage, '');
}

/** A frame that sets clock and dice of an isolate. */
export function encodeSteer(batch: number, handle: number, sources: SourcesSpec): Buffer {
  return numberAndText({ type: ToSandbox.steer, batch }, handle, JSON.stringify(sources));
}

export function decodeOpenStage(frame: Frame): StageOpening {
  return JSON.parse(frame.body.toString('utf8')) as StageOpening;
}
