/** What a key does, and how it reads in the line that lists them. */
export interface KeyAction {
  readonly key: string;
  readonly label: string;
  run(): void;
}

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

/**
 * Listens to single keys on a terminal until it is disposed of, which leaves the terminal as it was; elsewhere it does nothing.
 * Ctrl-C and Ctrl-D, which are keys here and no signals, call `onInterrupt`.
 */
export function listenToKeys(actions: readonly KeyAction[], onInterrupt: () => void): Disposable {
  const { stdin } = process;
  if (!hasKeys()) return { [Symbol.dispose]: () => undefined };
  const onData = (chunk: Buffer): void => {
    // What is pasted, and keys such as arrows, come as one chunk and mean nothing here.
    const text = chunk.toString();
    if (text.includes(CTRL_C) || text === CTRL_D) onInterrupt();
    else if (text === '\r' || text === '\n') process.stdout.write('\n');
    else actions.find(({ key }) => key === text.toLowerCase())?.run();
  };
  stdin.setRawMode(true);
  stdin.on('data', onData).resume();
  return {
    [Symbol.dispose]() {
      stdin.off('data', onData).pause();
      stdin.setRawMode(false);
    },
  };
}

/** True when somebody sits at the terminal. */
export function hasKeys(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}
