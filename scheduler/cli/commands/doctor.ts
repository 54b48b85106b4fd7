import { cellOf, type Reply, recordsOf } from '../client.ts';
import type { Command } from '../command.ts';
import { ExitCode } from '../exit-code.ts';
import type { Style } from '../render.ts';

const STYLES: Readonly<Record<string, Style>> = { ok: 'good', warning: 'warn', bad: 'bad' };

/** `regears doctor`. */
export const doctor: Command = {
  kind: 'remote',
  description:
    'Checks server version, eviction policy, persistence, notifications, clock, nodes and consumer groups, and says ' +
    'what to do. Exit code 1 when something must be mended.',
  examples: ['doctor', 'doctor --json'],
  run: async ({ output, door }) => {
    const checks = recordsOf(await (await door()).call('RG.DOCTOR'));
    output.answer(checks, () => {
      for (const check of checks) {
        const state = stateOf(check);
        const head = `${output.style(STYLES[state] ?? 'faint', state.padEnd(8))}${cellOf(check.check) ?? ''}`;
        output.line(`${head}: ${cellOf(check.finding) ?? ''}`);
        if (check.advice) output.line(`        ${cellOf(check.advice)}`);
      }
    });
    return checks.some((check) => stateOf(check) === 'bad') ? ExitCode.failed : undefined;
  },
};

function stateOf(check: Record<string, Reply>): string {
  return String(check.state ?? 'ok');
}
