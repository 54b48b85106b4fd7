import { join } from 'node:path';
import { connectRedis, type RedisAccess } from '#functions';
import { createRuntime, type Runtime, type RuntimeOptions } from '#runtime';
import { startRedis, type TestRedis } from '../../support/redis.ts';

export interface TestRuntime extends AsyncDisposable {
  readonly runtime: Runtime;
  readonly redis: TestRedis;
  readonly access: RedisAccess;
  readonly lines: string[];
}

export const SCRIPTED_CHILD = join(import.meta.dirname, 'child.ts');

/** A runtime on a private Redis; with `SCRIPTED_CHILD` without real guests. */
export async function startRuntime(
  options: Partial<RuntimeOptions> & { readonly redisUrl?: string } = {},
): Promise<TestRuntime> {
  const lines: string[] = [];
  const write = (fields: object, message: string): void => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  const { redisUrl, ...rest } = options;
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  const access = stack.use(await connectRedis({ url: redisUrl ?? redis.url }));
  const runtime = stack.use(
    await createRuntime({
      access,
      sandboxes: 1,
      prefix: 'rg:',
      log: { debug: write, info: write, warn: write, error: write },
      ...rest,
    }),
  );
  const owned = stack.move();
  return { runtime, redis, access, lines, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
