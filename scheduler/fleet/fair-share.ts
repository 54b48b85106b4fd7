import { createHash } from 'node:crypto';

export interface SurplusRequest {
  readonly registrationId: string;
  /** Streams this node holds. */
  readonly held: readonly string[];
  /** Streams of the registration, whoever holds them. */
  readonly known: number;
  readonly self: string;
  /** Consumer names of all live nodes. */
  readonly consumers: readonly string[];
}

/**
 * Streams beyond this node's share. The share is rounded up, so nodes at their share never give anything back and the
 * distribution comes to rest. Streams that rendezvous hashing gives to other nodes go first: the choice is the same
 * whenever it is made, and streams return to the same nodes after a restart.
 */
export function chooseSurplus(request: SurplusRequest): readonly string[] {
  const { registrationId, held, known, consumers, self } = request;
  if (consumers.length < 2) return [];
  const share = Math.ceil(Math.max(known, held.length) / consumers.length);
  if (held.length <= share) return [];
  const isOwn = (stream: string): boolean => winnerOf(`${registrationId}\n${stream}`, consumers) === self;
  const { true: own = [], false: foreign = [] } = Object.groupBy(held, (stream) => `${isOwn(stream)}`);
  return [...foreign, ...own].slice(0, held.length - share);
}

/** The consumer with the highest hash for this text. */
function winnerOf(text: string, consumers: readonly string[]): string {
  let winner = '';
  let best = '';
  for (const consumer of consumers) {
    const score = createHash('sha1').update(`${consumer}\n${text}`).digest('hex');
    if (score > best) {
      best = score;
      winner = consumer;
    }
  }
  return winner;
}
