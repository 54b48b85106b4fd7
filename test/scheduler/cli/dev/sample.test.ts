import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type ActiveRegistration, PlatformError, type TriggerSpec } from '#functions';
import { parseFrom } from '../../../../scheduler/cli/dev/fetch-sample.ts';
import { matchSample } from '../../../../scheduler/cli/dev/match-sample.ts';
import { parseSamples, type SampleEvent } from '../../../../scheduler/cli/dev/sample.ts';

const eventOf = (sample: object): SampleEvent => {
  const [parsed] = parseSamples(JSON.stringify(sample), 'x.json');
  if (parsed === undefined) throw new Error('no sample');
  return parsed.event;
};

describe('a file of samples', () => {
  test('holds one or a list, which are named by their position', () => {
    const one = { trigger: 'greet', args: ['ann'] };
    expect(parseSamples(JSON.stringify(one), 'x.json')).toMatchObject([{ name: 'x.json', registrationId: null }]);
    const two = [one, { ...one, registration: 'greet/command/greet' }];
    expect(parseSamples(JSON.stringify(two), 'x.json')).toMatchObject([
      { name: 'x.json[0]' },
      { name: 'x.json[1]', registrationId: 'greet/command/greet' },
    ]);
  });

  test('has text, numbers, JSON and bytes as values, and fields as an object or as pairs', () => {
    const fields = { text: 'ä', number: 1.5, flag: true, list: [1, 'x'], bytes: { base64: '/wA=' } };
    const read = [
      ['text', 'Ã¤'],
      ['number', '1.5'],
      ['flag', 'true'],
      ['list', '[1,"x"]'],
      ['bytes', '\u00ff\u0000'],
    ];
    expect(eventOf({ stream: 's', fields })).toEqual({ kind: 'stream', stream: 's', id: null, fields: read });
    expect(eventOf({ stream: 's', id: '5-1', fields: Object.entries(fields) })).toMatchObject({
      id: '5-1',
      fields: read,
    });
  });

  test('is as docs/dev.md shows it, in every kind that it lists', () => {
    const document = readFileSync(new URL('../../../../docs/dev.md', import.meta.url), 'utf8');
    const blocks = [...document.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => text);
    const shown = blocks.flatMap((text) => parseSamples(text, 'dev.md')).map(({ event }) => event.kind);
    const listed = [...document.matchAll(/^\| `(\w+)`.* \|$/gm)].map(([, kind]) => kind);
    expect([...new Set(shown)].sort()).toEqual([...new Set(listed)].sort());
  });

  test.each([
    ['{', /x\.json is no JSON/],
    ['[{"stream":"s"}]', /x\.json\[0\] has stream and no fields/],
    ['{"stream":"s","trigger":"t"}', /exactly one of stream, trigger, command/],
    ['{}', /has nothing; a sample has exactly one of/],
    ['3', /allowed is an object/],
    ['{"stream":"s","fields":{}}', /fields is \{\}; allowed is an object, or a list of \[name, value\]/],
    ['{"stream":"s","fields":[["a"]]}', /fields is \[\["a"\]\]/],
    ['{"stream":"s","fields":{"a":1},"id":"now"}', /id is "now"; allowed is an entry id/],
    [
      '{"stream":"s","fields":{"a":1},"user":"ann"}',
      /has the member user; beside stream allowed are fields, id, registration/,
    ],
    ['{"trigger":"t","args":"ann"}', /args is "ann"; allowed is a list of arguments/],
    ['{"send":[]}', /send is \[\]; allowed is a command/],
    ['{"key":"k","event":3}', /event is 3/],
  ])('%s is refused with what is wrong', (text, message) => {
    expect(() => parseSamples(text, 'x.json')).toThrow(PlatformError);
    expect(() => parseSamples(text, 'x.json')).toThrow(message);
  });
});

const registered = (id: string, trigger: object): ActiveRegistration =>
  ({ functionName: 'f', version: 1, spec: { id, trigger: trigger as TriggerSpec } }) as unknown as ActiveRegistration;

const ALL = [
  registered('streams', { kind: 'stream', prefix: 'events:*' }),
  registered('exact', { kind: 'stream', prefix: 'events:web' }),
  registered('greet', { kind: 'command', trigger: 'greet' }),
  registered('hook', { kind: 'hook', hook: 'set', keyprefix: 'user:' }),
  registered('keys', { kind: 'keys', prefix: 'user:*', eventTypes: ['hset', 'del'] }),
  registered('jobs', { kind: 'list', lists: ['urgent', 'jobs'] }),
  registered('news', { kind: 'pubsub', channels: ['news'], patterns: ['chat:*'] }),
  registered('tick', { kind: 'schedule', cron: '* * * * *' }),
];

const matched = (sample: object): readonly string[] =>
  parseSamples(JSON.stringify(sample), 'x.json').flatMap((each) =>
    matchSample(each, ALL).map(({ registration }) => registration.spec.id),
  );

describe('a sample is for whoever waits for such an event', () => {
  test.each([
    [{ stream: 'events:web', fields: { a: 1 } }, ['streams', 'exact']],
    [{ stream: 'events:web', fields: { a: 1 }, registration: 'exact' }, ['exact']],
    [{ stream: 'others', fields: { a: 1 } }, []],
    [{ trigger: 'greet', args: ['ann'] }, ['greet']],
    [{ trigger: 'Greet' }, []],
    [{ command: ['SET', 'user:1', 'x'] }, ['hook']],
    [{ command: ['SET', 'other', 'x'] }, []],
    [{ key: 'user:1', event: 'hset' }, ['keys']],
    [{ key: 'user:1' }, []],
    [{ list: 'jobs', item: { a: 1 } }, ['jobs']],
    [{ channel: 'news', message: 'x' }, ['news']],
    [{ channel: 'chat:1', message: 'x' }, ['news']],
    [{ channel: 'quiet', message: 'x' }, []],
    [{ schedule: '*' }, ['tick']],
    [{ schedule: 'other' }, []],
    [{ send: ['SET', 'a', 'b'] }, []],
  ])('%j', (sample, ids) => {
    expect(matched(sample)).toEqual(ids);
  });
});

describe('--from', () => {
  test('takes three words each time it is given; files may stand behind them', () => {
    const words = ['redis://a', 's', '1-1', 'redis://b', 't', '$', 'x.ts', 'y.ts'];
    expect(parseFrom(words)).toEqual({
      origins: [
        { url: 'redis://a', stream: 's', id: '1-1' },
        { url: 'redis://b', stream: 't', id: '$' },
      ],
      files: ['x.ts', 'y.ts'],
    });
    expect(parseFrom([])).toEqual({ origins: [], files: [] });
  });

  test.each([
    [['redis://:secret@a', 's'], /--from is "redis:\/\/:\*\*\*@a s"; it takes <url> <stream> <id>/],
    [['redis://a', 's', 'newest'], /the id of --from is "newest"/],
  ])('%j is refused', (words, message) => {
    expect(() => parseFrom(words)).toThrow(message);
  });
});
