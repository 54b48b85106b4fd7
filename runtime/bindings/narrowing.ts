import { type CommandRules, type LoadableVersion, latin1FromUtf8 } from '#functions';
import type { AtomicSessions, CommandPolicy, Effects } from './binding.ts';
import { type CommandPolicyOptions, createCommandPolicy } from './command-policy.ts';

/** What the commands of one version go through. */
export interface CommandWays {
  readonly effects: Effects;
  readonly sessions: AtomicSessions;
  /** What both check with; for commands that leave by another way. */
  readonly policy: CommandPolicy;
}

/** Gives versions with rules of their own a stricter policy; the others keep what they are given. */
export type Narrow = (version: LoadableVersion, ways: CommandWays) => CommandWays;

/** Policies are made once per version and remembered with its rules. */
export function createNarrow(options: Pick<CommandPolicyOptions, 'table' | 'prefix'>): Narrow {
  const policies = new WeakMap<CommandRules, CommandPolicy>();
  const policyOf = (rules: CommandRules): CommandPolicy => {
    const known = policies.get(rules);
    if (known !== undefined) return known;
    const { commands, keys } = rules;
    const policy = createCommandPolicy({
      ...options,
      ...(commands === null ? {} : { allow: new Set(commands) }),
      ...(keys === null ? {} : { keys: keys.map(latin1FromUtf8) }),
    });
    policies.set(rules, policy);
    return policy;
  };
  return ({ rules }, ways) => {
    if (rules === null || rules === undefined) return ways;
    const policy = policyOf(rules);
    return {
      effects: { ...ways.effects, send: (round) => ways.effects.send(round, policy) },
      sessions: { ...ways.sessions, open: () => ways.sessions.open(policy) },
      policy,
    };
  };
}
