import type { GuestError } from '#runtime';

/** Error texts of a stage, bounded in number and size. */
export interface ErrorList {
  add(error: GuestError): void;
  addText(text: string): void;
  readonly texts: readonly string[];
}

const MOST = 1_000;
const MOST_CHARACTERS = 1024 * 1024;

export function createErrorList(): ErrorList {
  const texts: string[] = [];
  let characters = 0;
  let left = 0;
  const addText = (text: string): void => {
    characters += text.length;
    if (texts.length < MOST && characters <= MOST_CHARACTERS) texts.push(text);
    else left += 1;
  };
  return {
    addText,
    add: (error) => addText(errorText(error)),
    get texts() {
      return left === 0 ? texts : [...texts, `${left} more errors were left out`];
    },
  };
}

/** Name, message and the author's lines. */
export function errorText({ code, name, message, stack }: GuestError): string {
  // What flatError was given.
  if (name === '' && code === 'GUEST_ERROR') return message;
  const known = name === '' || name === 'PlatformError' ? code : name;
  const title = message.startsWith(`${known}:`) ? message : `${known}: ${message}`;
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return [title, ...frames].join('\n');
}
