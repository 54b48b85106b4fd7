import { type Frame, jsonFrame, numberAndText } from './frames.ts';
import { type StageOpening, ToSandbox } from './messages.ts';

/** Frames that open and close stages of batch runs; what is fed to them travels as `run`. */
export function encodeOpenStage(batch: number, opening: StageOpening): Buffer {
  return jsonFrame({ type: ToSandbox.openStage, batch }, opening);
}

export function encodeCloseStage(batch: number, stage: number): Buffer {
  return numberAndText({ type: ToSandbox.closeStage, batch }, stage, '');
}

export function decodeOpenStage(frame: Frame): StageOpening {
  return JSON.parse(frame.body.toString('utf8')) as StageOpening;
}
