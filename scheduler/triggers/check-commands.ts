import {
  type ActiveRegistration,
  type CommandFacts,
  type CommandTable,
  type Manifest,
  PlatformError,
} from '#functions';

export interface CheckCommandsOptions {
  readonly commands: CommandTable;
  /** What is in force. */
  readonly active: Iterable<ActiveRegistration>;
  readonly functionName: string;
}

/** What cannot be hooked is refused when the function is loaded, in the words of the reference. Errors: MANIFEST_INVALID. */
export function checkCommands(manifest: Manifest, options: CheckCommandsOptions): void {
  const owned = ownedByOthers(options);
  const ownedHere = new Set<string>();
  for (const { trigger, mode, id } of manifest.registrations) {
    if (trigger.kind === 'keys') for (const name of trigger.commands ?? []) checkLinked(id, name, options.commands);
    if (trigger.kind !== 'hook') continue;
    const { hook, keyprefix } = trigger;
    const facts = options.commands.find(hook) ?? refuse(id, 'Can not override an unexisting command', hook);
    const taken: Reasons = [
      [ownedHere.has(hook), 'Can not override a none sync registration which already created on this session'],
      [owned.has(hook), 'Can not override a none sync registration'],
    ];
    refuseWhere([...whyNotHooked(facts, keyprefix !== null), ...taken], id, hook);
    if (mode !== 'sync') ownedHere.add(hook);
  }
}

/** Commands that another function hooks in a mode that lets no further hook before it. */
function ownedByOthers({ active, functionName }: CheckCommandsOptions): ReadonlySet<string> {
  const owned = new Set<string>();
  for (const { spec, functionName: owner } of active) {
    if (spec.trigger.kind === 'hook' && owner !== functionName && spec.mode !== 'sync') owned.add(spec.trigger.hook);
  }
  return owned;
}

type Reasons = readonly (readonly [boolean, string])[];

function checkLinked(id: string, name: string, commands: CommandTable): void {
  const facts = commands.find(name) ?? refuse(id, 'bad reply on COMMAND command', name);
  const reasons: Reasons = [
    [facts.flags.has('noscript'), 'Can not hook a command which are not allowed inside a script'],
    [facts.flags.has('movablekeys'), 'Can not hook a command with moveable keys by key prefix'],
    [facts.firstKey < 1, 'Can not hook a command by key prefix with none positive first key'],
  ];
  refuseWhere(reasons, id, name);
}

function whyNotHooked({ flags, firstKey }: CommandFacts, byPrefix: boolean): Reasons {
  return [
    [flags.has('noscript'), 'Can not override a command which are not allowed inside a script'],
    [byPrefix && flags.has('movablekeys'), 'Can not override a command with moveable keys by key prefix'],
    [byPrefix && firstKey < 1, 'Can not override a command by key prefix with none positive first key'],
  ];
}

function refuseWhere(reasons: Reasons, id: string, command: string): void {
  for (const [applies, text] of reasons) if (applies) refuse(id, text, command);
}

function refuse(id: string, text: string, command: string): never {
  throw new PlatformError('MANIFEST_INVALID', `${text}: ${command.toUpperCase()}, registration ${id}`, {
    details: { registration: id, command },
  });
}
