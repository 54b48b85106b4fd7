/**
 * `npm run chaos [-- --minutes n] [--nodes n] [--rate n] [--seed n]`: kills sandboxes, nodes and Redis and suspends nodes at
 * random while entries flow in all modes, then checks that every entry has one end and that sync kept its order. Exit code
 * 1 when anything does not hold.
 */
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MODES, type Mode, sourceOf, startLoad } from './load.ts';
import { judge, untilSettled } from './verdict.ts';
import { createWorld, type Deed, type World } from './world.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '4' },
    nodes: { type: 'string', default: '3' },
    rate: { type: 'string', default: '1500' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

const HEARTBEAT_TIMEOUT_MS = 3_000;
const SETTLE_DEADLINE_MS = 120_000;
const LONGEST_CALM_MS = 2_500;

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const random = mulberry32(Number(values.seed));

await using world = await createWorld({
  nodes: Number(values.nodes),
  heartbeatTimeoutMs: HEARTBEAT_TIMEOUT_MS,
  random,
});
const redis = world.redis.client({ maxRetriesPerRequest: null });
const groups = await register(world);
print(`chaos for ${values.minutes} min, ${values.nodes} nodes, ${values.rate} entries/s, seed ${values.seed}`);
const load = startLoad(redis, Number(values.rate));
await rage(world, Number(values.minutes) * 60_000);
await load.stop();
await world.heal();
print(`${load.confirmed()} entries confirmed; everything is up again, waiting for the rest`);

const open = await untilSettled(redis, groups, SETTLE_DEADLINE_MS);
const faults = [...open, ...world.surprises];
for (const [mode, group] of groups) {
  const verdict = await judge({ redis, door: (await world.anyNode()).door, mode, group });
  print(`${mode.padEnd(12)} ${verdict.written} written, ${verdict.runs} runs`);
  faults.push(...verdict.faults.map((fault) => `${mode}: ${fault}`));
}
for (const [text, times] of world.errors()) print(`logged as error ${times} times: ${text}`);
for (const fault of faults) print(`FAULT ${fault}`);
print(faults.length === 0 ? 'everything holds' : `${faults.length} faults (seed ${values.seed})`);
process.exitCode = faults.length === 0 ? 0 : 1;

async function register({ anyNode }: World): Promise<ReadonlyMap<Mode, string>> {
  const { door } = await anyNode();
  const found = new Map<Mode, string>();
  for (const mode of MODES) {
    const reply = (await door.call('RG.FUNCTION', 'LOAD', `chaos-${mode}`, sourceOf(mode))) as [
      string,
      number,
      string,
      string[],
    ];
    found.set(mode, reply[3][0] ?? '');
  }
  return found;
}

/** One deed after the other, at random times; some of them go on in the background. */
async function rage({ deeds }: World, forMs: number): Promise<void> {
  const endMs = performance.now() + forMs;
  const done = new Map<string, number>();
  while (performance.now() < endMs) {
    await pause(random() * LONGEST_CALM_MS);
    const deed = choose(deeds);
    done.set(deed.name, (done.get(deed.name) ?? 0) + 1);
    await deed.run();
  }
  print([...done].map(([name, times]) => `${name} ${times} times`).join(', '));
}

function choose(deeds: readonly Deed[]): Deed {
  let left = random() * deeds.reduce((sum, { weight }) => sum + weight, 0);
  for (const deed of deeds) {
    left -= deed.weight;
    if (left < 0) return deed;
  }
  return deeds[0] as Deed;
}

/** Small repeatable random numbers in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
