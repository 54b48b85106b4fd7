/** Writes what a buffer has collected, again and again, one batch at a time. */
export interface Flusher {
  /** Resolves when everything that was in the buffer before the call is written; waits through outages. */
  flush(): Promise<void>;
  /** Flushes for the last time, for at most `deadlineMs`, and stops. */
  stop(deadlineMs: number): Promise<void>;
}

export interface FlusherOptions<Batch> {
  readonly intervalMs: number;
  /** Takes the next batch out of the buffer; undefined = nothing there. */
  readonly take: () => Batch | undefined;
  /**
   * Writes a batch. When it rejects, the same batch comes again under the same number: the server knows by that number
   * whether the first try arrived after all.
   */
  readonly write: (batch: Batch, number: number) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export function startFlusher<Batch>(options: FlusherOptions<Batch>): Flusher {
  let number = 0;
  let unwritten: Batch | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  const timer = setInterval(() => void run(), options.intervalMs);

  async function writeAll(): Promise<void> {
    do {
      again = false;
      for (;;) {
        if (unwritten === undefined) {
          unwritten = options.take();
          number++;
        }
        if (unwritten === undefined) break;
        await options.write(unwritten, number);
        unwritten = undefined;
      }
    } while (again);
  }

  function run(): Promise<void> {
    again = true;
    running ??= writeAll()
      .catch(options.onError)
      .finally(() => {
        running = undefined;
      });
    return running;
  }

  return {
    flush: run,
    async stop(deadlineMs) {
      if (stopped) return;
      stopped = true;
      clearInterval(timer);
      let deadline: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        deadline = setTimeout(resolve, deadlineMs);
      });
      await Promise.race([run(), late]);
      clearTimeout(deadline);
    },
  };
}
