import type { ActiveRegistration, RegistrySnapshot } from '#functions';
import { checkCaptures } from './capture-checks.ts';
import type { OperationDependencies } from './dependencies.ts';
import {
  type Check,
  checkClock,
  checkEviction,
  checkGroups,
  checkLeftBehind,
  checkNodes,
  checkNotifications,
  checkPersistence,
  checkRegistrations,
  checkSecrets,
  checkVersion,
} from './doctor-checks.ts';
import type { Operation } from './operation.ts';
import { recordReply } from './records.ts';
import { createStreamGroups } from './stream-groups.ts';
import { arityError } from './syntax-error.ts';

/** `RG.DOCTOR`: is everything around the platform as it should be, and if not, what is to be done. */
export function createDoctorOperation(dependencies: OperationDependencies): Operation {
  return {
    name: 'RG.DOCTOR',
    summary: 'Checks server, persistence, notifications, clock, nodes and consumer groups, and says what to do.',
    syntax: ['RG.DOCTOR'],
    permission: () => 'read',
    async run(args) {
      if (args.length > 0) throw arityError('rg.doctor');
      const checks = await runChecks(dependencies);
      return checks.map(({ check, state, finding, advice }) => recordReply({ check, state, finding, advice }));
    },
  };
}

/** Every finding, worst ones in their place. */
export async function runChecks(dependencies: OperationDependencies): Promise<readonly Check[]> {
  const { access, fleet, registry, deadLetters } = dependencies;
  const streamGroups = createStreamGroups(dependencies);
  const [offsetMs, nodes, groups, leftBehind, dead] = await Promise.all([
    clockOffsetMs(access),
    fleet.nodes(),
    streamGroups.inspect(),
    streamGroups.leftBehind(),
    deadLetters.count({}),
  ]);
  const snapshot = registry.snapshot();
  const registrations = [...snapshot.registrations.values()];
  return [
    checkVersion(access.facts),
    checkEviction(access.facts),
    checkPersistence(access.facts),
    checkNotifications(access.facts, registrations.some(hearsKeys)),
    checkClock(offsetMs),
    checkNodes(nodes, snapshot.revision),
    checkRegistrations(registrations, dead),
    checkSecrets(secretsOf(snapshot, dependencies)),
    ...checkGroups(groups, (consumer) => fleet.isAlive(consumer)),
    ...checkLeftBehind(leftBehind),
    ...(await checkCaptures(registrations, dependencies)),
  ];
}

/** What this node says of the functions that ask for secrets. */
function secretsOf(
  { functions }: RegistrySnapshot,
  { keyRing, variables }: Pick<OperationDependencies, 'keyRing' | 'variables'>,
): Parameters<typeof checkSecrets>[0] {
  const asking = [...functions.values()].filter((each) => each.secrets !== undefined);
  const reasons = [...functions.keys()].flatMap((name) => variables.reasonAgainst(name) ?? []);
  return { asking: asking.length, hasKey: keyRing.keyId !== null, reasons };
}

/** True for registrations on keys that are meant for writes of any origin. */
function hearsKeys({ spec: { trigger } }: ActiveRegistration): boolean {
  return trigger.kind === 'keys' && trigger.commands === null;
}

/** This node's clock minus that of Redis, ms, with half the round trip taken off. */
async function clockOffsetMs({ client }: Pick<OperationDependencies['access'], 'client'>): Promise<number> {
  const asked = Date.now();
  const [seconds, micros] = await client.time();
  const answered = Date.now();
  return (asked + answered) / 2 - (Number(seconds) * 1000 + Number(micros) / 1000);
}
