/** A thread or a child process that runs the handler of a function over batches of entries. */
import process from 'node:process';
import { parentPort } from 'node:worker_threads';

type Entry = readonly [id: string, fields: readonly string[]];

let seen = 0;

function handle(value: Readonly<Record<string, string>>): void {
  seen += value.user === undefined ? 0 : 1;
}

function run(entries: readonly Entry[]): void {
  for (const [, fields] of entries) {
    const value: Record<string, string> = {};
    for (let n = 0; n + 1 < fields.length; n += 2) value[fields[n] as string] = fields[n + 1] as string;
    handle(value);
  }
}

parentPort?.on('message', (entries: readonly Entry[]) => {
  run(entries);
  parentPort?.postMessage(seen);
});
if (parentPort === null) {
  process.on('message', (entries: readonly Entry[]) => {
    run(entries);
    process.send?.(seen);
  });
  process.once('disconnect', () => process.exit(0));
}
