/** One beat's result. */
export interface Beat {
  /** False: whoever waits for a beat waits for the next one too. */
  readonly done: boolean;
  /** Until the next beat unless somebody asks for one, ms. */
  readonly pauseMs: number;
}

/** Runs `beat` again and again, never twice at once. */
export interface Pulse {
  /** Resolves after a beat that began after this call and was done; also when the pulse is stopped. */
  beatNow(): Promise<void>;
  /** Lets no further beat begin; resolves after the present one. */
  stop(): Promise<void>;
}

/** @param beat must not reject. */
export function startPulse(beat: () => Promise<Beat>): Pulse {
  let stopped = false;
  let asked: PromiseWithResolvers<void> | undefined;
  let wake: (() => void) | undefined;
  const ended = run();
  return {
    beatNow() {
      if (stopped) return ended;
      asked ??= Promise.withResolvers<void>();
      wake?.();
      return asked.promise;
    },
    async stop() {
      stopped = true;
      wake?.();
      await ended;
    },
  };

  async function run(): Promise<void> {
    while (!stopped) {
      const served = asked;
      asked = undefined;
      const { done, pauseMs } = await beat();
      if (done) served?.resolve();
      else if (served) join(served);
      if (!stopped && (!done || asked === undefined)) await pause(pauseMs, done);
    }
    asked?.resolve();
  }

  function join(served: PromiseWithResolvers<void>): void {
    if (asked === undefined) asked = served;
    else void asked.promise.then(served.resolve);
  }

  /** After a beat that was not done nobody can shorten the pause, else a failing one would spin. */
  function pause(ms: number, canWake: boolean): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(finish, ms);
      wake = () => {
        if (canWake || stopped) finish();
      };
      function finish(): void {
        clearTimeout(timer);
        wake = undefined;
        resolve();
      }
    });
  }
}
