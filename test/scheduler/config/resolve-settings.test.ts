import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlatformError } from '#functions';
import { fileKeyOf, flagOf, variableOf } from '../../../scheduler/config/setting.ts';
import { resolveSettings, type SettingSources, settingRows } from '../../../scheduler/config.ts';

const MACHINE = { hostName: 'host.example', processId: 42, cores: 4 };

function resolve(sources: SettingSources) {
  return resolveSettings({ machine: MACHINE, ...sources });
}

function problemsOf(sources: SettingSources): string {
  try {
    resolve(sources);
  } catch (error) {
    expect((error as PlatformError).code).toBe('CONFIG_INVALID');
    return (error as Error).message;
  }
  throw new Error('These settings were accepted.');
}

describe('precedence', () => {
  test('without anything every setting has its default', () => {
    const { settings, origins } = resolve({});
    expect(settings).toMatchObject({ redisUrl: null, respPort: 6380, httpPort: 8380, sandboxes: 4, prefix: 'rg:' });
    expect(settings.nodeId).toBe('host.example-42');
    expect(new Set(Object.values(origins).map((origin) => origin.source))).toEqual(new Set(['default']));
  });

  test('flags win over environment, environment over file, file over default', () => {
    fc.assert(
      fc.property(fc.tuple(port(), port(), port()), ([flag, variable, file]) => {
        const sources = {
          ...(flag === undefined ? {} : { flags: { 'resp-port': String(flag) } }),
          ...(variable === undefined ? {} : { env: { REGEARS_RESP_PORT: String(variable) } }),
          ...(file === undefined ? {} : { file: { respPort: file } }),
        };
        const { settings, origins } = resolve(sources);
        expect(settings.respPort).toBe(flag ?? variable ?? file ?? 6380);
        const sourceOf = [flag, variable, file].findIndex((value) => value !== undefined);
        expect(origins.respPort.source).toBe(['flag', 'environment', 'file'][sourceOf] ?? 'default');
      }),
    );
    function port() {
      return fc.option(
        fc.integer({ min: 1024, max: 65_535 }).filter((value) => value !== 8380),
        { nil: undefined },
      );
    }
  });

  test('an origin says how the setting is spelt where it was found', () => {
    expect(resolve({ flags: { 'resp-port': '1' } }).origins.respPort.name).toBe('--resp-port');
    expect(resolve({ env: { REGEARS_RESP_PORT: '1' } }).origins.respPort.name).toBe('REGEARS_RESP_PORT');
    expect(resolve({ file: { respPort: 1 } }).origins.respPort.name).toBe('respPort');
    expect(resolve({ file: { 'resp-port': 1 } }).origins.respPort.name).toBe('resp-port');
  });
});

describe('values', () => {
  test.each([
    ['limit-memory', '64mb', 'limits', 'memoryBytes', 64 * 1024 * 1024],
    ['limit-memory', '65536 KB', 'limits', 'memoryBytes', 64 * 1024 * 1024],
    ['limit-memory', '67108864', 'limits', 'memoryBytes', 64 * 1024 * 1024],
    ['drain-timeout', '5s', 'delivery', 'drainMs', 5000],
    ['drain-timeout', '1.5s', 'delivery', 'drainMs', 1500],
    ['drain-timeout', '2m', 'delivery', 'drainMs', 120_000],
    ['drain-timeout', '250', 'delivery', 'drainMs', 250],
    ['invoke-users', 'ann, bob', 'door', 'invokeUsers', ['ann', 'bob']],
  ] as const)('--%s %s is understood', (...[name, text, group, field, value]) => {
    const { settings } = resolve({ flags: { [name]: text } });
    expect(settings).toMatchObject({ [group]: { [field]: value } });
  });

  test.each([
    'redis://localhost',
    'redis://user:pass@10.0.0.1:6379',
    'rediss://cache.example:6380',
    'redis+sentinel://a:26379,b:26379/mymaster',
    'redis+cluster://a:7000,b:7001',
  ])('the Redis URL %s is taken', (url) => {
    expect(resolve({ flags: { redis: url } }).settings.redisUrl).toBe(url);
  });

  test.each([
    ['resp-port', 'abc', 'a whole number from 0 to 65535'],
    ['resp-port', '65536', 'a whole number from 0 to 65535'],
    ['resp-port', '80mb', 'a whole number'],
    ['sandboxes', '0', 'a whole number from 1 to 256'],
    ['limit-memory', '1tb', 'an amount of memory from 8mb to 16gb'],
    ['drain-timeout', '-5s', 'a time from 0ms to 1h'],
    ['log-level', 'loud', 'one of trace, debug, info, warn, error, fatal, silent'],
    ['prefix', 'a{b', 'without any of'],
    ['redis', 'http://x', 'redis://[user:password@]host:port'],
  ])('--%s %s is refused with what is allowed', (name, value, allowed) => {
    const message = problemsOf({ flags: { [name]: value } });
    expect(message).toContain(`--${name} (flag) is ${JSON.stringify(value)}`);
    expect(message).toContain(allowed);
  });

  test('a wrong value is refused also where a stronger source overrides it', () => {
    expect(problemsOf({ flags: { 'resp-port': '1' }, env: { REGEARS_RESP_PORT: 'x' } })).toContain('REGEARS_RESP_PORT');
  });

  test('a wrong Redis URL is shown without its password', () => {
    const message = problemsOf({ flags: { redis: 'redis:/user:secret@host' } });
    expect(message).not.toContain('secret');
    expect(problemsOf({ env: { REGEARS_REDIS: 'http://user:secret@host' } })).not.toContain('secret');
  });

  test('whatever text is given, the answer is a value in range or CONFIG_INVALID', () => {
    const names = settingRows().map(([, row]) => row.name);
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.oneof(fc.string(), fc.integer(), fc.constant(null)), (name, value) => {
        try {
          resolve({ file: { [name]: value } });
        } catch (error) {
          expect((error as PlatformError).code).toBe('CONFIG_INVALID');
        }
      }),
    );
  });
});

describe('names', () => {
  test('flag, variable and file key of every setting are distinct and say the same', () => {
    const rows = settingRows().map(([, row]) => row.name);
    expect(new Set(rows).size).toBe(rows.length);
    for (const name of rows) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(flagOf(name)).toBe(`--${name}`);
      expect(variableOf(name).toLowerCase()).toBe(`regears_${name.replaceAll('-', '_')}`);
      expect(fileKeyOf(name).toLowerCase()).toBe(name.replaceAll('-', ''));
    }
  });

  test.each([
    [{ flags: { 'resp-prot': '1' } }, '--resp-prot (flag) is not a setting: did you mean --resp-port?'],
    [
      { env: { REGEARS_RSP_PORT: '1' } },
      'REGEARS_RSP_PORT (environment) is not a setting: did you mean REGEARS_RESP_PORT?',
    ],
    [{ file: { respport: 1 } }, 'respport (file) is not a setting: did you mean respPort?'],
    [{ file: { zzzzzzzz: 1 } }, 'zzzzzzzz (file) is not a setting: `regears config` lists all settings'],
  ])('an unknown name is refused with the nearest known one (%#)', (sources, message) => {
    expect(problemsOf(sources)).toBe(message);
  });

  test('all mistakes are reported at once', () => {
    const message = problemsOf({ flags: { 'resp-port': 'x' }, env: { REGEARS_NOPE: '1' }, file: { httpPort: -1 } });
    expect(message.split('\n')).toHaveLength(3);
  });

  test('variables of other programs and of the CLI are left alone', () => {
    expect(() => resolve({ env: { PATH: '/bin', REGEARS_URL: 'redis://x', REGEARS_CONFIG: 'x.json' } })).not.toThrow();
  });

  test('standard variables name the collector of traces where nothing of ours does', () => {
    const endpoint = (sources: SettingSources): string | null => resolve(sources).settings.trace.endpoint;
    const base = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/otlp/' };
    const traces = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://d/take' };
    expect(endpoint({})).toBeNull();
    expect(endpoint({ env: base })).toBe('http://c:4318/otlp/v1/traces');
    expect(endpoint({ env: { ...base, ...traces } })).toBe('https://d/take');
    expect(endpoint({ env: { ...base, OTEL_SDK_DISABLED: 'true' } })).toBeNull();
    expect(endpoint({ env: { ...base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '' } })).toBe('http://c:4318/otlp/v1/traces');
    expect(endpoint({ env: base, file: { traceEndpoint: 'http://e:4318' } })).toBe('http://e:4318/v1/traces');
    expect(resolve({ env: base }).origins['trace.endpoint']).toEqual({
      source: 'environment',
      name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    });
    expect(problemsOf({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'c:4318' } })).toContain('allowed is http://host:port');
    const refused = problemsOf({ flags: { 'trace-endpoint': 'http://user:secret@c' } });
    expect([refused.includes('no credentials in it'), refused.includes('secret')]).toEqual([true, false]);
  });

  test.each(['1.5', '-1', 'half', ''])('%s is no share', (text) => {
    expect(problemsOf({ flags: { 'trace-ratio': text } })).toContain('a number from 0 (none) to 1 (all)');
  });

  test('a setting spelt twice in the file is refused', () => {
    expect(problemsOf({ file: { respPort: 1, 'resp-port': 2 } })).toContain('are the same setting');
  });
});

describe('values that must fit together', () => {
  test.each([
    [{ flags: { heartbeat: '5s' } }, 'heartbeat-timeout'],
    [{ flags: { block: '2500ms' } }, 'heartbeat-timeout is 3000ms, block is 2500ms'],
    [{ flags: { 'retry-interval': '2m' } }, 'retry-ceiling'],
    [{ flags: { 'resp-port': '8380' } }, 'different ports'],
  ])('%o is refused', (sources, text) => {
    expect(problemsOf(sources)).toContain(text);
  });

  test('doors leave this machine only where Redis asks for a password', () => {
    expect(problemsOf({ flags: { 'resp-host': '0.0.0.0' } })).toContain('no credentials are configured');
    expect(problemsOf({ flags: { 'http-host': '::', redis: 'redis://10.0.0.1:6379' } })).toContain('no credentials');
    expect(resolve({ flags: { 'resp-host': '0.0.0.0', redis: 'redis://:pw@10.0.0.1' } }).settings.respHost).toBe(
      '0.0.0.0',
    );
    for (const host of ['localhost', '::1', '127.0.0.1', '127.8.9.10']) {
      expect(() => resolve({ flags: { 'resp-host': host } })).not.toThrow();
    }
  });
});

describe('settings for functions', () => {
  test('come from flag, environment or file', () => {
    expect(resolve({}).settings.functionSettings).toEqual({});
    expect(resolve({ file: { functionSettings: { region: 'eu' } } }).settings.functionSettings).toEqual({
      region: 'eu',
    });
    const env = { REGEARS_FUNCTION_SETTING: 'region=us,tier=free' };
    expect(resolve({ env }).settings.functionSettings).toEqual({ region: 'us', tier: 'free' });
    const flags = { 'function-setting': 'region=asia' };
    expect(resolve({ env, flags }).settings.functionSettings).toEqual({ region: 'asia' });
  });

  test('are refused where a value is missing', () => {
    expect(problemsOf({ env: { REGEARS_FUNCTION_SETTING: 'region' } })).toContain('allowed is name=value');
  });
});
