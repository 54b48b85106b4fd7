/** Field of `keys.lease` that says who listens to the channels of a registration; `stream` is the registration's own. */
export function listenerField(stream: string): string {
  return `${stream}:listener`;
}
