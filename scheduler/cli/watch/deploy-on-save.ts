import type { Output } from '../render.ts';
import { type FunctionWatchOptions, watchFunction } from './function-watch.ts';
import { createWatchReport } from './watch-report.ts';

/** What all files have in common, and where it is told. */
export interface DeployOnSaveOptions extends Omit<FunctionWatchOptions, 'file' | 'report'> {
  readonly output: Output;
}

/**
 * Deploys each file now and after every save, and tells of each attempt; what is refused ends nothing. Resolves after SIGINT or
 * SIGTERM, with no deployment under way. Errors: ARGUMENT_INVALID for a file that is no script or cannot be read.
 */
export async function deployOnSave(files: readonly string[], options: DeployOnSaveOptions): Promise<void> {
  const { output, ...request } = options;
  const report = createWatchReport(output);
  const over = Promise.withResolvers<void>();
  const end = (): void => over.resolve();
  process.once('SIGINT', end).once('SIGTERM', end);
  await using watches = new AsyncDisposableStack();
  watches.defer(() => void process.off('SIGINT', end).off('SIGTERM', end));
  const started = files.map((file) => watches.use(watchFunction({ ...request, file, report })).started);
  await Promise.all(started);
  const what = files.length === 1 ? files[0] : `${files.length} files`;
  output.note(`Watching ${what} and what is imported there. Ctrl-C ends it.`);
  await over.promise;
}
