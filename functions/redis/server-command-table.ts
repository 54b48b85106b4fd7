import type { CommandFacts, CommandTable } from './command-table.ts';
import { MOVABLE_KEYS } from './movable-keys.ts';

/** Builds the table from the decoded reply of COMMAND; subcommands included. Entries of another shape are left out. */
export function createCommandTable(reply: unknown): CommandTable {
  const facts = new Map<string, CommandFacts>();
  addAll(facts, reply);
  const find = (name: string, sub?: string): CommandFacts | undefined => {
    const lower = name.toLowerCase();
    const ofSub = sub === undefined ? undefined : facts.get(`${lower}|${sub.toLowerCase()}`);
    return ofSub ?? facts.get(lower);
  };
  return {
    find,
    keysOf(args) {
      const name = args[0];
      if (name === undefined) return [];
      const movable = MOVABLE_KEYS.get(name.toLowerCase());
      if (movable) return movable(args);
      const found = find(name, args[1]);
      return found ? keysInRange(args, found) : [];
    },
  };
}

function keysInRange(args: readonly string[], { firstKey, lastKey, step }: CommandFacts): readonly string[] {
  if (firstKey < 1) return [];
  const last = lastKey < 0 ? args.length + lastKey : Math.min(lastKey, args.length - 1);
  const keys: string[] = [];
  for (let at = firstKey; at <= last; at += Math.max(1, step)) {
    const key = args[at];
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

function addAll(facts: Map<string, CommandFacts>, reply: unknown): void {
  if (!Array.isArray(reply)) return;
  for (const entry of reply) {
    if (!Array.isArray(entry) || typeof entry[0] !== 'string') continue;
    const [rawName, , flags, firstKey, lastKey, step, , tips] = entry as unknown[];
    const name = String(rawName).toLowerCase();
    facts.set(name, {
      name,
      firstKey: Number(firstKey) || 0,
      lastKey: Number(lastKey) || 0,
      step: Number(step) || 0,
      flags: new Set(Array.isArray(flags) ? flags.map((flag) => String(flag).toLowerCase()) : []),
      requestPolicy: policyIn(tips, 'request_policy:'),
      responsePolicy: policyIn(tips, 'response_policy:'),
    });
    addAll(facts, entry[9]);
  }
}

function policyIn(tips: unknown, label: string): string | null {
  const tip = Array.isArray(tips) ? tips.map(String).find((text) => text.startsWith(label)) : undefined;
  return tip === undefined ? null : tip.slice(label.length);
}
