import { ToSandbox } from './messages.ts';

/** Frames of the node that are answered by a frame of a kind. */
export const BY_PROGRESS: ReadonlySet<number> = new Set([
  ToSandbox.run,
  ToSandbox.replies,
  ToSandbox.session,
  ToSandbox.cancel,
]);
export const BY_DONE: ReadonlySet<number> = new Set([
  ToSandbox.unload,
  ToSandbox.ping,
  ToSandbox.boot,
  ToSandbox.openStage,
  ToSandbox.closeStage,
  ToSandbox.steer,
  ToSandbox.variables,
  ToSandbox.usage,
]);
export const BY_LOADED: ReadonlySet<number> = new Set([ToSandbox.load]);
export const BY_LOAD_FAILED: ReadonlySet<number> = new Set([ToSandbox.load, ToSandbox.openStage]);
