/**
 * A batch job over hashes as one writes it by hand with ioredis: SCAN, HGETALL in a pipeline, and the next SCAN is asked for
 * while the values of this one are on their way. Answers each question { work } with { answer }.
 *
 * Arguments (JSON): { port }
 */
import { Redis } from 'ioredis';
import { answerEach, sayReady, startedWith } from '../asked.ts';

interface Question {
  readonly work: 'adults' | 'families';
}

const COUNT = 1_000;
const client = new Redis(startedWith<{ readonly port: number }>().port);

async function run({ work }: Question): Promise<{ readonly answer: number }> {
  const families = new Map<string, number>();
  let adults = 0;
  const count = ({ name = '', age }: Record<string, string>): void => {
    if (work === 'adults') adults += Number(age) >= 18 ? 1 : 0;
    else {
      const family = name.split(' ')[1] ?? '';
      families.set(family, (families.get(family) ?? 0) + 1);
    }
  };
  const scan = (cursor: string): Promise<[string, string[]]> =>
    client.scan(cursor, 'MATCH', 'person:*', 'COUNT', COUNT);
  let scanning: Promise<[string, string[]]> | null = scan('0');
  while (scanning !== null) {
    const [cursor, keys]: [string, string[]] = await scanning;
    scanning = cursor === '0' ? null : scan(cursor);
    const pipeline = client.pipeline();
    for (const key of keys) pipeline.hgetall(key);
    for (const [, hash] of (await pipeline.exec()) ?? []) count(hash as Record<string, string>);
  }
  return { answer: work === 'adults' ? adults : [...families.values()].reduce((sum, value) => sum + value, 0) };
}

await client.ping();
sayReady();
await answerEach(run);
