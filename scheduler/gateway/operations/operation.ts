/** A reply before it is encoded for a door. */
export type ReplyValue =
  | string
  | number
  | null
  | readonly ReplyValue[]
  /** RESP simple string, such as OK. */
  | { readonly simple: string }
  /** An error among other values. */
  | { readonly error: string }
  /** Values that are encoded already: RESP2, latin1. */
  | { readonly resp2: string };

/** What a caller must be allowed to do; the doors map it to ACL commands or roles. */
export type Permission =
  /** Look at functions and numbers: asked like FUNCTION LIST. */
  | 'read'
  /** Run functions: asked like FCALL. */
  | 'invoke'
  /** Load, change, remove: asked like FUNCTION LOAD. */
  | 'manage';

export interface OperationContext {
  /** ACL user of the caller, for the log. */
  readonly user: string;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
}

/** One management command: declared once, served by every door. */
export interface Operation {
  /** Upper case, such as `RG.FUNCTION`. */
  readonly name: string;
  /** One line for help texts. */
  readonly summary: string;
  /** Syntax for error texts and help. */
  readonly syntax: readonly string[];
  /** The permission these arguments need (a command with sub-commands may need different ones). */
  permission(args: readonly string[]): Permission;
  /** What of the arguments the log names: sub-commands, names and ids, never sources or values. Default: nothing. */
  subject?(args: readonly string[]): readonly string[];
  /** `args` without the command's name, utf8 text decoded. Throws PlatformError; the message goes to the caller as it is. */
  run(args: readonly string[], context: OperationContext): Promise<ReplyValue>;
}
