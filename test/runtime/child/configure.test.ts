import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfiguration } from '../../../functions/model/parse-configuration.ts';
import { ChildHarness } from './child-harness.ts';

let child: ChildHarness;
beforeAll(async () => {
  child = await ChildHarness.start();
});
afterAll(() => child.stop());

const REGISTER = "GB('CommandReader').map(a => a.length).register({ trigger: 't' });";

async function configured(code: string): Promise<unknown> {
  return (await child.load(code + REGISTER, { inspectOnly: true })).configuration;
}

describe('configure', () => {
  test('is not needed', async () => {
    expect(await configured('')).toBeNull();
  });

  test('is reported as the node reads it', async () => {
    const reported = await configured(`configure({
      limits: { memory: '64mb', call: '500ms', execution: '10s', output: '1MB', commands: 100, commandBytes: '2kb', concurrency: 10 },
      commands: ['HINCRBY', 'get', 'JSON.SET'], keys: ['clicks:*', 'größe "x"'], settings: { region: 'eu' },
    });`);
    expect(parseConfiguration(reported)).toEqual({
      limits: {
        memoryBytes: 64 * 1024 ** 2,
        callMs: 500,
        executionMs: 10_000,
        outputBytes: 1024 ** 2,
        commandsPerEvent: 100,
        commandBytes: 2048,
        concurrency: 10,
      },
      commands: ['hincrby', 'get', 'json.set'],
      keys: ['clicks:*', 'größe "x"'],
      settings: { region: 'eu' },
    });
  });

  test('takes numbers, and the names of the units', async () => {
    const reported = await configured('configure({ limits: { memory: 16777216, callMs: 20, executionMs: 300 } });');
    const limits = { memoryBytes: 16_777_216, callMs: 20, executionMs: 300 };
    expect(parseConfiguration(reported)).toEqual({ limits, commands: null, keys: null, settings: {} });
  });

  test('may come behind register', async () => {
    const code = `${REGISTER} configure({ commands: [] });`;
    const report = await child.load(code, { inspectOnly: true });
    expect(report.configuration).toMatchObject({ commands: [] });
  });

  test.each([
    ['configure()', "its argument must be an object such as { limits: { memory: '64mb' } }, not undefined"],
    ['configure([])', 'its argument must be an object, not an array'],
    ['configure({ limit: {} })', 'unknown argument "limit". Did you mean limits? Allowed are limits, commands'],
    ['configure({ limits: { memry: 1 } })', 'limits: unknown argument "memry". Did you mean memory?'],
    ["configure({ limits: { memory: '64 megs' } })", "limits.memory must be a size such as '64mb'"],
    [
      "configure({ limits: { memory: '1kb' } })",
      `limits.memory must be a size such as '64mb' or a number of bytes, 8388608 at least, not "1kb"`,
    ],
    ["configure({ limits: { call: '5 weeks' } })", "limits.call must be a time such as '500ms'"],
    ['configure({ limits: { call: 1, callMs: 1 } })', 'limits.callMs is given twice'],
    ['configure({ limits: { commands: 0 } })', 'limits.commands must be a whole number, 1 at least, not 0'],
    ["configure({ commands: 'GET' })", 'commands must be a list of at most 1000 names'],
    ["configure({ commands: ['GET x'] })", 'commands[0] must be in a list of at most 1000 names'],
    ['configure({ keys: [1] })', 'keys[0] must be in a list of at most 100 key patterns'],
    ['configure({ settings: { a: 1 } })', 'settings.a must be a text of at most 10000 characters, not 1'],
    ['configure({}); configure({})', 'may be called once per source'],
  ])('%s is refused', async (code, sentence) => {
    const failure = await child.loadError(`${code};`);
    expect(failure.code).toBe('GUEST_ARGUMENT');
    expect(failure.message).toContain(`configure: ${sentence}`);
  });

  test('is refused while an event is handled', async () => {
    await child.load("GB('CommandReader').map(() => configure({})).register({ trigger: 't' });");
    const record = await child.run({ shape: 1, entryCount: 1, payload: '*1\r\n*1\r\n$1\r\nt\r\n', wantResults: 1 });
    expect(record.failed.get(0)).toMatchObject({ code: 'GUEST_ARGUMENT' });
    expect(record.failed.get(0)?.message).toContain('only at the top level');
  });

  test('gives configGet defaults, which the settings of the platform override', async () => {
    const code = `configure({ settings: { region: 'eu', tier: 'free' } });
      GB('CommandReader').map(() => [configGet('region'), configGet('tier'), configGet('none')]).register({ trigger: 't' });`;
    await child.load(code, { settings: { region: 'us' } });
    const record = await child.run({ shape: 1, entryCount: 1, payload: '*1\r\n*1\r\n$1\r\nt\r\n', wantResults: 1 });
    expect(record.results.get(0)).toContain('["us","free",null]');
  });
});
