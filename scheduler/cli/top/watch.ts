import { PlatformError } from '#functions';
import type { DoorClient } from '../client.ts';
import type { CommandInput } from '../command.ts';
import { readFigures, type TopFigures } from './figures.ts';
import { frameLines, type View } from './frame.ts';
import { nextSort, type Sort } from './sorting.ts';
import { openTerminal, type Terminal } from './terminal.ts';

export interface WatchWish {
  readonly intervalMs: number;
  /** As it was given. */
  readonly intervalText: string;
  readonly sort: Sort;
}

const QUIT = ['q', 'Q', '\x03', '\x04', '\x1b'];
const UP = ['k', '\x1b[A', '\x1bOA'];
const DOWN = ['j', '\x1b[B', '\x1bOB'];
const PAGE = 10;

/**
 * Shows figures on the whole terminal until somebody ends it. The first reading must succeed; later a lost connection is told on
 * the screen, and made again. Errors: those of the door.
 */
export async function watchFigures(input: CommandInput, wish: WatchWish): Promise<void> {
  const door = await input.door();
  const watch = new Watch(input, wish, { figures: await readFigures(door), address: door.address });
  await watch.run(door);
}

interface Beginning {
  readonly figures: TopFigures;
  readonly address: string;
}

class Watch {
  readonly #input: CommandInput;
  readonly #wish: WatchWish;
  readonly #address: string;
  readonly #ended = Promise.withResolvers<void>();
  #figures: TopFigures;
  #view: View;
  #terminal: Terminal | null = null;
  #isEnded = false;

  constructor(input: CommandInput, wish: WatchWish, { figures, address }: Beginning) {
    this.#input = input;
    this.#wish = wish;
    this.#address = address;
    this.#figures = figures;
    this.#view = { sort: wish.sort, isReversed: false, isPaused: false, scroll: 0, trouble: null };
  }

  async run(first: DoorClient): Promise<void> {
    using terminal = openTerminal({ onKey: (key) => this.#press(key), onResize: () => this.#draw() });
    this.#terminal = terminal;
    this.#draw();
    await Promise.race([this.#ended.promise, this.#readOn(first)]);
    this.#isEnded = true;
  }

  /** Never faster than the answers come. */
  async #readOn(first: DoorClient): Promise<void> {
    let door: DoorClient | null = first;
    while (!this.#isEnded) {
      await this.#pause();
      if (this.#view.isPaused) continue;
      try {
        door ??= await this.#input.newDoor();
        this.#figures = await readFigures(door);
        this.#look({ trouble: null });
      } catch (reason) {
        await door?.[Symbol.asyncDispose]();
        door = null;
        const { code, message } = PlatformError.from(reason, 'FAILED');
        this.#look({ trouble: `${code}: ${message}` });
      }
    }
    await door?.[Symbol.asyncDispose]();
  }

  /** Ends with the watch, so that nothing is read behind it. */
  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#wish.intervalMs);
    await Promise.race([promise, this.#ended.promise]);
    clearTimeout(timer);
  }

  #press(key: string): void {
    const { sort, isReversed, isPaused, scroll } = this.#view;
    if (QUIT.includes(key)) {
      this.#isEnded = true;
      this.#ended.resolve();
    } else if (key === 's') this.#look({ sort: nextSort(sort), scroll: 0 });
    else if (key === 'r') this.#look({ isReversed: !isReversed });
    else if (key === 'p' || key === ' ') this.#look({ isPaused: !isPaused });
    else if (UP.includes(key)) this.#scrollTo(scroll - 1);
    else if (DOWN.includes(key)) this.#scrollTo(scroll + 1);
    else if (key === '\x1b[5~') this.#scrollTo(scroll - PAGE);
    else if (key === '\x1b[6~') this.#scrollTo(scroll + PAGE);
  }

  #scrollTo(scroll: number): void {
    this.#look({ scroll: Math.max(0, Math.min(this.#figures.registrations.length - 1, scroll)) });
  }

  #look(change: Partial<View>): void {
    this.#view = { ...this.#view, ...change };
    this.#draw();
  }

  #draw(): void {
    const terminal = this.#terminal;
    if (terminal === null || this.#isEnded) return;
    const { columns, rows } = terminal;
    const look = { address: this.#address, intervalText: this.#wish.intervalText, style: this.#input.output.style };
    terminal.draw(frameLines({ figures: this.#figures, view: this.#view, columns, rows, ...look }));
  }
}
