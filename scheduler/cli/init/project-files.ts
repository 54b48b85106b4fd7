/** What a new project is called, and what it needs. */
export interface ProjectFacts {
  /** Of the function and of the package. */
  readonly name: string;
  /** Version range, or path of a checkout, as package.json has it. */
  readonly regears: string;
  /** Version ranges of the tools. */
  readonly tools: Readonly<Record<string, string>>;
}

/** Files of a function project by path. */
export function projectFiles(facts: ProjectFacts): ReadonlyMap<string, string> {
  return new Map([
    ['package.json', packageFile(facts)],
    ['tsconfig.json', FUNCTION_TYPES],
    ['test/tsconfig.json', TEST_TYPES],
    [`src/${facts.name}.ts`, functionFile(facts)],
    [`test/${facts.name}.test.ts`, testFile(facts)],
    ['samples/view.json', SAMPLE],
    ['README.md', readmeFile(facts)],
    ['.gitignore', 'node_modules/\n.regears/\n'],
  ]);
}

function packageFile({ name, regears, tools }: ProjectFacts): string {
  const content = {
    // npm takes fewer names than the platform.
    name: name.toLowerCase().replace(/^[._]+/, '') || 'function',
    version: '0.1.0',
    private: true,
    type: 'module',
    engines: { node: '>=24' },
    scripts: {
      dev: `regears dev src/${name}.ts`,
      start: 'regears start',
      deploy: `regears deploy src/${name}.ts`,
      check: 'tsc && tsc -p test',
      test: 'vitest run',
    },
    devDependencies: { regears, ...tools },
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** Functions know what a sandbox has, and nothing of Node. */
const FUNCTION_TYPES = `{
  "compilerOptions": {
    "target": "ES2024",
    "lib": ["ES2024"],
    "module": "ESNext",
    "moduleResolution": "Bundler",
    "moduleDetection": "force",
    "types": ["regears/functions"],
    "noEmit": true,
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "noUnusedLocals": true,
    "noUnusedParameters": true
  },
  "include": ["src"]
}
`;

/** What `regears dev` runs after each save. */
const SAMPLE = `{ "stream": "events:web", "fields": { "user": "ann", "page": "/home" } }
`;

const TEST_TYPES = `{
  "extends": "../tsconfig.json",
  "compilerOptions": {
    "lib": ["ES2024", "ESNext.Disposable"],
    "types": ["node"]
  },
  "include": ["*.ts"]
}
`;

function functionFile({ name }: ProjectFacts): string {
  return `/**
 * Counts page views per user: each entry of a stream \`events:*\` has the fields \`user\` and \`page\`.
 *
 *   XADD events:web '*' user ann page /home
 *   HGETALL views:{ann}          → /home 1
 */
new GearsBuilder('StreamReader', '*', 'page views per user')
  .filter((r) => Boolean(r.value.user && r.value.page))
  .foreach(async (r) => {
    const { user = '', page = '' } = r.value;
    // An entry may run again after a crash; what was counted is noted in the same transaction, for a day.
    const counted = \`${name}:counted:{\${user}}:\${r.key}:\${r.id}\`;
    await atomic(async (tx) => {
      if (await tx.execute('EXISTS', counted)) return;
      tx.execute('SET', counted, 1, 'EX', 86_400);
      tx.execute('HINCRBY', \`views:{\${user}}\`, page, 1);
    });
  })
  .register({ prefix: 'events:*', mode: 'async_local', batch: 100, onFailedPolicy: 'retry' });
`;
}

function testFile({ name }: ProjectFacts): string {
  return `import { assertDone, expectRetrySafe, loadFunction, startRedis, streamEntries } from 'regears/testing';
import { expect, test } from 'vitest';

const file = new URL('../src/${name}.ts', import.meta.url);

test('views are counted per user and page', async () => {
  await using redis = await startRedis();
  await using fn = await loadFunction({ file, redis });
  const views = streamEntries('events:web', { user: 'ann', page: '/' }, { user: 'ann', page: '/' }, { user: 'bob' });
  assertDone(fn, await fn.deliver(views));
  expect(await redis.call('HGET', 'views:{ann}', '/')).toBe('2');
  expect(await redis.call('EXISTS', 'views:{bob}')).toBe(0);
});

test('a view that runs again counts once', async () => {
  await using fn = await loadFunction({ file });
  await expectRetrySafe(fn, streamEntries('events:web', { user: 'ann', page: '/' }));
});
`;
}

function readmeFile({ name }: ProjectFacts): string {
  return `# ${name}

A ReGears function: \`src/${name}.ts\` runs for every entry of the streams \`events:*\`.

\`\`\`sh
npm install
npm run check     # types
npm test          # the function in a sandbox, on a Redis of its own
npm run dev       # deploys on every save, runs samples/ and shows what happens, until Ctrl-C
npm start         # a node whose Redis keeps its data
\`\`\`

While that node runs, in another terminal:

\`\`\`sh
npm run deploy
redis-cli -p 6380 XADD events:web '*' user ann page /home
redis-cli -p 6380 HGETALL 'views:{ann}'
npx regears logs ${name}
npx regears top
\`\`\`
`;
}
