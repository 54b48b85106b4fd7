import { PlatformError } from '#functions';
import { cellOf, recordsOf } from '../client.ts';
import type { Command, CommandInput } from '../command.ts';
import { timeOf } from '../time.ts';
import { readShards } from './execution-progress.ts';

/** `regears executions`. */
export const executions: Command = {
  kind: 'remote',
  description:
    'Lists batch executions, oldest first. With an id: how far each shard is. Results are printed by regears run, or read ' +
    'with RG.GETRESULTS.',
  arguments: [{ syntax: '[id]', description: 'one execution', completes: 'execution' }],
  options: [
    { flags: '--registered', description: 'those of registrations, too: the last ones of each' },
    { flags: '--abort', description: 'end it, whatever its code is doing' },
    { flags: '--drop', description: 'forget it with its results' },
  ],
  examples: [
    'executions',
    'executions --registered',
    'executions 0000000000000000000000000000000000000000-7',
    'executions 0000000000000000000000000000000000000000-7 --abort',
  ],
  run: async (input) => {
    const [id] = input.args;
    if (id === undefined) await showAll(input);
    else await showOne(input, id);
    return undefined;
  },
};

async function showAll({ options, output, door }: CommandInput): Promise<void> {
  if (options.flag('abort') || options.flag('drop')) {
    throw new PlatformError(
      'ARGUMENT_INVALID',
      '--abort and --drop need the id of an execution; see: regears executions',
    );
  }
  const known = recordsOf(await (await door()).call('RG.DUMPEXECUTIONS'));
  const all = options.flag('registered') ? known : known.filter(({ registered }) => registered === 0);
  output.answer(all, () => {
    if (all.length === 0) return output.line('There are no executions. Start one: regears run <file>');
    const rows = all.map((each) => [
      cellOf(each.executionId),
      cellOf(each.status),
      cellOf(each.function),
      cellOf(each.reader),
      cellOf(each.recordsRead),
      cellOf(each.errors ?? ''),
      timeOf(each.createdAtMs),
    ]);
    output.table(['ID', 'STATUS', 'FUNCTION', 'READER', 'READ', 'ERRORS', 'STARTED'], rows);
  });
}

async function showOne({ options, output, door }: CommandInput, id: string): Promise<void> {
  const client = await door();
  if (options.flag('abort')) await client.call('RG.ABORTEXECUTION', id);
  if (options.flag('drop')) {
    await client.call('RG.DROPEXECUTION', id);
    output.answer({ id, dropped: true }, () => output.line(`${id} is forgotten`));
    return;
  }
  const shards = await readShards(client, id);
  output.answer(shards, () => {
    const rows = shards.map(({ shardId, plan }) => [
      shardId.slice(0, 12),
      cellOf(plan.status),
      `${cellOf(plan.stage)} of ${cellOf(plan.stages)}`,
      cellOf(plan.records_read),
      cellOf(plan.records_per_second),
      cellOf(plan.results),
      Array.isArray(plan.errors) ? plan.errors.length : 0,
      cellOf(plan.attempts),
    ]);
    output.table(['SHARD', 'STATUS', 'STAGE', 'READ', 'PER SECOND', 'RESULTS', 'ERRORS', 'ATTEMPTS'], rows);
  });
}
