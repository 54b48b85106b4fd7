import { useEffect, useState } from 'preact/hooks';

/** A number that grows every so often, for what has no topic to follow. */
export function useTicks(everyMs: number): number {
  const [ticks, setTicks] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTicks((before) => before + 1), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return ticks;
}
