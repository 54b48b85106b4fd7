import process from 'node:process';

const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
/** Of terminals that say nothing of their size, or that it is 0. */
const UNKNOWN_SIZE = { columns: 80, rows: 24 };
/** Signals that end the program; whoever sends one gets the exit code that shells give for it. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The whole terminal, on its other screen; what stood there before comes back when it is disposed of, or the process ends. */
export interface Terminal extends Disposable {
  readonly columns: number;
  readonly rows: number;
  draw(lines: readonly string[]): void;
}

export interface TerminalHandlers {
  /** A key as the terminal sends it: one character, or an escape sequence. */
  onKey(key: string): void;
  onResize(): void;
}

/** Takes the terminal over. Only where standard output is one; without one as standard input there are no keys. */
export function openTerminal({ onKey, onResize }: TerminalHandlers): Terminal {
  const { stdin, stdout } = process;
  let isOpen = true;
  const leave = (): void => {
    if (!isOpen) return;
    isOpen = false;
    if (stdin.isTTY) stdin.setRawMode(false);
    stdout.write(LEAVE);
  };
  const onData = (data: Buffer): void => {
    for (const key of keysOf(data.toString())) onKey(key);
  };
  const ended = Object.entries(SIGNALS).map(([name, code]) => {
    const end = (): void => {
      leave();
      process.exit(code);
    };
    process.once(name, end);
    return () => process.off(name, end);
  });
  process.once('exit', leave);
  stdout.on('resize', onResize);
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    stdin.on('data', onData).resume();
  }
  stdout.write(ENTER);
  return {
    get columns() {
      return stdout.columns || UNKNOWN_SIZE.columns;
    },
    get rows() {
      return stdout.rows || UNKNOWN_SIZE.rows;
    },
    draw(lines) {
      if (isOpen) stdout.write(`${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join('\r\n')}${CLEAR_BELOW}`);
    },
    [Symbol.dispose]() {
      leave();
      stdin.off('data', onData).pause();
      stdout.off('resize', onResize);
      process.off('exit', leave);
      for (const off of ended) off();
    },
  };
}

/** Several keys may come at once, escape sequences among them. */
function keysOf(text: string): readonly string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals send keys as control characters
  return text.match(/\x1b\[[0-9;]*[A-Za-z~]|\x1bO[A-Z]|[\s\S]/g) ?? [];
}
