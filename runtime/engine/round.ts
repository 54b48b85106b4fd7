import { PlatformError } from '#functions';
import type { CommandGroups, EffectRound } from '../bindings/binding.ts';
import type { RuntimeErrorCode } from '../errors.ts';
import { OwnerFlag, type Progress } from '../sandbox/messages.ts';
import type { EntryLedger } from './entry-ledger.ts';

/** The commands of one progress frame, checked against the batch they claim to belong to. */
export interface Round extends EffectRound {
  readonly round: number;
  /** Entry of each command, without flags. */
  readonly owners: Uint32Array;
}

export interface RoundContext {
  readonly ledger: EntryLedger;
  /** Commands sent so far, per entry. */
  readonly sent: Uint32Array;
  /** Most commands one entry may send. */
  readonly commandsPerEntry: number;
}

const NO_GROUPS: CommandGroups = [];

/**
 * Checks who caused the commands of a frame and finds the atomic groups among them. Throws SANDBOX_PROTOCOL: the guest
 * runtime keeps all of this, so a sandbox that does not has been taken over.
 */
export function readRound(progress: Progress, context: RoundContext): Round {
  const { ledger, sent, commandsPerEntry } = context;
  const { owners, round } = progress;
  if (round === 0) throw breach('commands without a round');
  let flagged = false;
  for (let index = 0; index < owners.length; index += 1) {
    const owner = owners[index] ?? 0;
    const position = owner & OwnerFlag.position;
    if (position >= ledger.size) throw breach(`a command of entry ${position}, the batch has ${ledger.size}`);
    if (owner !== position) flagged = true;
    const count = (sent[position] ?? 0) + 1;
    sent[position] = count;
    if (count > commandsPerEntry) throw breach(`more than ${commandsPerEntry} commands of one event`);
  }
  const positions = flagged ? owners.map((owner) => owner & OwnerFlag.position) : owners;
  return {
    round,
    commands: progress.commands,
    count: owners.length,
    owners: positions,
    groups: flagged ? readGroups(owners) : NO_GROUPS,
    withheld: ledger.hasGivenUp ? givenUpPositions(positions, ledger) : null,
  };
}

function readGroups(owners: Uint32Array): CommandGroups {
  const groups: [number, number][] = [];
  let first = -1;
  for (let index = 0; index < owners.length; index += 1) {
    const owner = owners[index] ?? 0;
    if ((owner & OwnerFlag.opensGroup) !== 0) {
      if (first >= 0) throw breach('an atomic group within another');
      first = index;
    }
    if ((owner & OwnerFlag.closesGroup) !== 0) {
      if (first < 0) throw breach('the end of an atomic group that never began');
      groups.push([first, index]);
      first = -1;
    }
  }
  if (first >= 0) throw breach('an atomic group without an end');
  return groups;
}

function givenUpPositions(owners: Uint32Array, ledger: EntryLedger): ReadonlySet<number> | null {
  const withheld = new Set<number>();
  for (let index = 0; index < owners.length; index += 1) {
    if (ledger.isGivenUp(owners[index] ?? 0)) withheld.add(index);
  }
  return withheld.size === 0 ? null : withheld;
}

function breach(what: string): PlatformError<RuntimeErrorCode> {
  return new PlatformError('SANDBOX_PROTOCOL', `the sandbox sent ${what}`);
}
