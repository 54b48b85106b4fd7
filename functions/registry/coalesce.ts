/**
 * Makes runs of a task share: while one is under way, all who ask wait for one more, because what they want to see may have
 * happened after the present one began.
 */
export function coalesce<T>(task: () => Promise<T>): { run(): Promise<T>; readonly busy: boolean } {
  let running: Promise<T> | null = null;
  let queued: Promise<T> | null = null;
  const begin = (): Promise<T> => {
    queued = null;
    running = task().finally(() => {
      running = null;
    });
    return running;
  };
  return {
    run() {
      if (running === null) return begin();
      queued ??= running.then(begin, begin);
      return queued;
    },
    get busy() {
      return running !== null;
    },
  };
}
