import { reportNodes } from '../operations/node-reports.ts';
import { reportRegistrations } from '../operations/registration-reports.ts';
import { reportStreams } from '../operations/stream-reports.ts';
import type { HttpDependencies } from './dependencies.ts';
import type { TopicReaders } from './live.ts';
import { letterJson } from './routes/dead-letters.ts';
import { executionJson } from './routes/executions.ts';
import { listFunctions } from './routes/functions.ts';
import { nodeJson } from './routes/nodes.ts';
import { readOverview } from './routes/overview.ts';
import { registrationJson } from './routes/registrations.ts';
import { streamJson } from './routes/streams.ts';

/** Longest list that is pushed; whoever wants more asks for it. */
const MOST_PUSHED = 200;

/** What is pushed for each topic: the same as the list routes answer, the first part of it. */
export function createTopicReaders(dependencies: HttpDependencies): TopicReaders {
  const { executions, deadLetters } = dependencies;
  return {
    functions: async () => listed(await listFunctions(dependencies)),
    registrations: async () => listed((await reportRegistrations(dependencies)).map(registrationJson)),
    streams: async () => listed((await reportStreams(dependencies)).map(streamJson)),
    executions: async () => listed((await executions.list()).map(executionJson).reverse()),
    nodes: async () => listed((await reportNodes(dependencies)).map(nodeJson)),
    async deadLetters() {
      const [total, letters] = await Promise.all([
        deadLetters.total(),
        deadLetters.list({ count: MOST_PUSHED, after: null, order: 'newest' }),
      ]);
      return { items: letters.map(letterJson), total };
    },
    overview: async () => ({ overview: await readOverview(dependencies) }),
  };
}

function listed<Item>(items: readonly Item[]): { readonly items: readonly Item[]; readonly total: number } {
  return { items: items.slice(0, MOST_PUSHED), total: items.length };
}
