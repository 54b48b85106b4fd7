import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleFile } from '../../../../functions/index.ts';
import { waitFor } from '../../../support/wait.ts';
import { type Api, type Json, segment, startApi } from './support/api.ts';

let started: Awaited<ReturnType<typeof startApi>>;
let api: Api;
beforeAll(async () => {
  started = await startApi();
  ({ api } = started);
});
afterAll(() => started?.[Symbol.asyncDispose]());

const command = (trigger: string, answer: string): string =>
  `new GearsBuilder('CommandReader')\n  .map(() => '${answer}')\n  .register({ trigger: '${trigger}', mode: 'sync' });\n`;
const called = async (trigger: string): Promise<unknown> => (await api.post(`/v1/trigger/${trigger}`)).body.results;

describe('an upload', () => {
  test('makes a version once: the same source again is the same version', async () => {
    const body = command('once', 'one');
    const first = await api.call('PUT', '/v1/functions/once?description=first', {
      body,
      headers: { 'content-type': 'text/plain' },
    });
    expect([first.status, first.body]).toMatchObject([201, { name: 'once', version: 1, created: true }]);
    const again = await api.call('PUT', '/v1/functions/once', { body, headers: { 'content-type': 'text/javascript' } });
    expect([again.status, again.body]).toMatchObject([
      200,
      { version: 1, created: false, registrationIds: ['once/command/once'] },
    ]);
    expect(await called('once')).toEqual(['one']);
  });

  test('takes TypeScript by its content type, and a source without any type', async () => {
    const typed = `const answer: string = 'typed';\n${command('typed', 'x').replace("'x'", 'answer')}`;
    const ts = await api.call('PUT', '/v1/functions/typed', {
      headers: { 'content-type': 'application/typescript' },
      body: typed,
    });
    expect([ts.status, await called('typed')]).toEqual([201, ['typed']]);
    const bare = await api.call('PUT', '/v1/functions/bare', { body: Buffer.from(command('bare', 'bare')) });
    expect([bare.status, await called('bare')]).toEqual([201, ['bare']]);
  });

  test('takes a form with one file, whose name tells the language', async () => {
    const form = new FormData();
    form.set('file', new Blob([`const a: string = 'form';\n${command('form', 'x').replace("'x'", 'a')}`]), 'form.ts');
    form.set('description', 'from a form');
    form.set('activate', 'true');
    const answer = await api.call('PUT', '/v1/functions/form', { body: form });
    expect([answer.status, await called('form')]).toEqual([201, ['form']]);
    expect((await api.get('/v1/functions/form')).body.description).toBe('from a form');
  });

  test('bundles several files, of a form as of JSON, and shows them as they were', async () => {
    const files = {
      'main.ts': `import { answer } from './lib/answer.js';\n${command('several', 'x').replace("'x'", 'answer')}`,
      'lib/answer.ts': "export const answer: string = 'several';\n",
    };
    const json = await api.call('PUT', '/v1/functions/several', { json: { files, entry: 'main.ts' } });
    expect([json.status, await called('several')]).toEqual([201, ['several']]);
    const source = (await api.get('/v1/functions/several/versions/1/source')).body;
    expect(source.files).toContainEqual({ path: 'main.ts', source: files['main.ts'] });
    expect(source.files).toContainEqual({ path: 'lib/answer.ts', source: files['lib/answer.ts'] });
    const form = new FormData();
    for (const [name, text] of Object.entries(files)) form.append('files', new Blob([text]), name.split('/').at(-1));
    const flat = await api.call('PUT', '/v1/functions/flat', { body: form });
    expect([flat.status, flat.body.code]).toEqual([400, 'ARGUMENT_INVALID']);
    expect(flat.body.detail).toContain('entry is missing');
  });

  test('shows the own lines of a bundle that was made before', async () => {
    const path = new URL('../../../../functions/examples/greet.ts', import.meta.url).pathname;
    const { source, sourceMap } = await bundleFile(path);
    await api.call('PUT', '/v1/functions/greeter', { json: { source, sourceMap } });
    const shown = (await api.get('/v1/functions/greeter/versions/1/source')).body;
    expect(shown.files.map((file: Json) => file.path)).toEqual(['greet.ts']);
    expect(shown.files[0]?.source).toContain('GearsBuilder');
  });

  test.each([
    ['a syntax error, with its place', { source: 'const = 1' }, [422, 'ARTIFACT_INVALID']],
    ['an error while it is evaluated', { source: "throw new Error('no')" }, [500, 'GUEST_ERROR']],
    [
      'a wrong argument of the builder',
      { source: "GB('StreamReader').register({ prefx: 'a' })" },
      [422, 'GUEST_ARGUMENT'],
    ],
    ['neither source nor files', { description: 'x' }, [400, 'ARGUMENT_INVALID']],
    [
      'a file outside of the upload',
      { files: { 'a.ts': "import '../../etc/passwd.js'" }, entry: 'a.ts' },
      [422, 'ARTIFACT_INVALID'],
    ],
    ['a path that leaves the upload', { files: { '../a.ts': '' }, entry: '../a.ts' }, [400, 'ARGUMENT_INVALID']],
  ])('is refused for %s, and nothing is stored', async (_what, json, expected) => {
    const answer = await api.call('PUT', '/v1/functions/refused', { json });
    expect([answer.status, answer.body.code]).toEqual(expected);
    expect((await api.get('/v1/functions/refused')).status).toBe(404);
  });

  test('is refused where there must be none of the name, and when it is too large', async () => {
    await api.upload('taken', command('taken', 'a'));
    const json = { source: command('taken', 'b'), mustBeNew: true };
    expect((await api.call('PUT', '/v1/functions/taken', { json })).body.code).toBe('FUNCTION_EXISTS');
    const large = { headers: { 'content-type': 'text/javascript' }, body: `//${'x'.repeat(9 * 1024 * 1024)}` };
    expect((await api.call('PUT', '/v1/functions/large', large)).body.code).toBe('ARTIFACT_TOO_LARGE');
    const huge = { ...large, body: `//${'x'.repeat(24 * 1024 * 1024)}` };
    const refused = await api.call('PUT', '/v1/functions/large', huge).catch(() => null);
    if (refused !== null) expect(refused.body.code).toBe('BODY_TOO_LARGE');
  });
});

describe('versions', () => {
  test('are compared line by line in the files of their author', async () => {
    const lines = (middle: string): string => `// one\n// two\n${command('diff', middle)}// end\n`;
    await api.upload('diff', lines('a'));
    await api.upload('diff', lines('b'));
    const [file] = (await api.get('/v1/functions/diff/diff?from=1&to=2')).body.files;
    expect(file).toMatchObject({ path: 'diff.js', status: 'changed' });
    const changed = file?.hunks[0]?.lines.filter((line: Json) => line.kind !== 'same');
    expect(changed).toEqual([
      { kind: 'removed', fromLine: 4, toLine: null, text: "  .map(() => 'a')" },
      { kind: 'added', fromLine: null, toLine: 4, text: "  .map(() => 'b')" },
    ]);
    const same = (await api.get('/v1/functions/diff/diff?from=1&to=1')).body.files[0];
    expect([same?.status, same?.hunks]).toEqual(['same', []]);
    const whole = (await api.get('/v1/functions/diff/diff?from=1&to=2&context=all')).body.files[0];
    expect(whole?.hunks[0]?.lines).toHaveLength(7);
  });

  test('are listed newest first, activated and rolled back', async () => {
    for (const answer of ['one', 'two', 'three']) await api.upload('moved', command('moved', answer));
    const versions = async (): Promise<unknown> =>
      (await api.get('/v1/functions/moved/versions')).body.items.map(({ version, active }: Json) => [version, active]);
    expect(await versions()).toEqual([
      [3, true],
      [2, false],
      [1, false],
    ]);
    const activated = await api.post('/v1/functions/moved/versions/1/activate');
    expect([activated.body.version, await called('moved')]).toEqual([1, ['one']]);
    await api.post('/v1/functions/moved/rollback', { version: 3 });
    const back = await api.post('/v1/functions/moved/rollback');
    expect([back.body.version, await called('moved'), await versions()]).toEqual([
      2,
      ['two'],
      [
        [3, false],
        [2, true],
        [1, false],
      ],
    ]);
    const none = await api.post('/v1/functions/moved/rollback', { version: 9 });
    expect([none.status, none.body.code]).toEqual([404, 'VERSION_NOT_FOUND']);
  });

  test('rolled back from an entry id run entries again', async () => {
    const door = started.node.door;
    const count = (to: string): string =>
      `GB('StreamReader').foreach((r) => execute('RPUSH', '${to}', r.id)).register({ prefix: 'again', mode: 'async_local' });`;
    await api.upload('again', count('by-one'));
    await door.xadd('again', '1-0', 'a', '1');
    await door.xadd('again', '2-0', 'a', '1');
    await waitFor(async () => (await door.llen('by-one')) === 2, { what: 'both entries' });
    await api.upload('again', count('by-two'));
    await api.post('/v1/functions/again/rollback', { version: 2, fromId: '2-0' });
    await waitFor(async () => (await door.llen('by-two')) === 1, { what: 'the second entry again' });
    expect(await door.lrange('by-two', 0, -1)).toEqual(['2-0']);
    const wrong = await api.post('/v1/functions/again/rollback', { version: 2, fromId: 'soon' });
    expect([wrong.status, wrong.body.code]).toEqual([400, 'ARGUMENT_INVALID']);
  });

  test('are gone with their function, whose work is given up when that is asked for', async () => {
    const endless =
      "GB('CommandReader').map(async () => { while (true) await execute('PING'); }).register({ trigger: 'endless', mode: 'async_local' });";
    await api.upload('endless', endless);
    const calling = api.post('/v1/trigger/endless?timeoutMs=60000');
    await waitFor(
      async () =>
        (await api.get(`/v1/registrations/${segment('endless/command/endless')}`)).body.statistics.triggered === 1,
      {
        what: 'the call is in work',
      },
    );
    const removed = await api.call('DELETE', '/v1/functions/endless?abortPending=true');
    expect(removed.body.revision).toBeTypeOf('number');
    expect((await calling).body.code).toBe('EXECUTION_ABORTED');
    expect((await api.get('/v1/functions/endless')).status).toBe(404);
  });
});
