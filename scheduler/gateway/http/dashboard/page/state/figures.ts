import { type ReadonlySignal, signal } from '@preact/signals';
import type { Api } from '../api/client.ts';
import type { Sample } from '../api/platform-types.ts';
import { createLink, type Link } from './link.ts';

/** The figures of each second, newest last. */
export interface Figures {
  readonly link: Link;
  readonly samples: ReadonlySignal<readonly Sample[]>;
}

/** Five minutes, as much as the node keeps. */
const KEPT = 300;

export function createFigures(api: Api): Figures {
  const samples = signal<readonly Sample[]>([]);
  const link = createLink({
    api,
    path: '/v1/live',
    query: () => ({}),
    onEvent: ({ event, data }) => {
      if (event === 'history') samples.value = (data as { samples: readonly Sample[] }).samples.slice(-KEPT);
      if (event === 'sample') samples.value = join(samples.value, data as Sample);
    },
  });
  return { link, samples };
}

/** A second that came again takes the place of the one before. */
function join(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const before = samples.filter(({ atMs }) => atMs < sample.atMs);
  return [...before, sample].slice(-KEPT);
}
