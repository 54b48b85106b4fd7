import { describe, expect, test } from 'vitest';
import { maskRedisUrl, parseRedisUrl } from '../../../functions/redis/redis-url.ts';

describe('addresses', () => {
  test.each([
    ['redis://h', { topology: 'single', hosts: [{ host: 'h', port: 6379 }], tls: null }],
    ['redis://[::1]:1/0', { topology: 'single', hosts: [{ host: '::1', port: 1 }] }],
    ['redis://:p%40s@h:1', { password: 'p@s', hosts: [{ host: 'h', port: 1 }] }],
    ['redis://u:p@ss@h:1', { username: 'u', password: 'p@ss', hosts: [{ host: 'h', port: 1 }] }],
    ['redis://u:a/b@h:1', { username: 'u', password: 'a/b', hosts: [{ host: 'h', port: 1 }] }],
    ['rediss://h:1?ca=/x.crt&rejectUnauthorized=false', { tls: { caFile: '/x.crt', rejectUnauthorized: false } }],
    [
      'redis+sentinel://a,b:2/main',
      {
        topology: 'sentinel',
        hosts: [
          { host: 'a', port: 26379 },
          { host: 'b', port: 2 },
        ],
        sentinelName: 'main',
      },
    ],
    ['redis+sentinel://u:p@a/main?sentinelPassword=s', { password: 'p', sentinelPassword: 's' }],
    [
      'redis+cluster://a:1,b:2',
      {
        topology: 'cluster',
        hosts: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
      },
    ],
    ['rediss+cluster://a:1', { topology: 'cluster', tls: { rejectUnauthorized: true } }],
    ['unix:///run/redis.sock', { topology: 'single', path: '/run/redis.sock', hosts: [] }],
    ['unix://u:p@/run/redis.sock', { path: '/run/redis.sock', username: 'u', password: 'p' }],
  ])('%s', (url, expected) => {
    expect(parseRedisUrl(url)).toMatchObject(expected);
  });

  test.each([
    ['localhost:6379', 'must begin with one of redis://'],
    ['constructor://h', 'must begin with'],
    ['redis://', "'' is not host:port"],
    ['redis://h:70000', "'70000' is not a port"],
    ['redis://h/1', "only database 0 can be used, not '1'"],
    ['redis://a,b', 'several hosts need'],
    ['redis+sentinel://a:1', 'the name of the primary is missing'],
    ['redis://h?color=red', "no option 'color'"],
    ['redis://h?tls=yes', "tls is true or false, not 'yes'"],
    ['redis://:%zz@h', 'a % in it'],
    ['unix://h/x', 'a unix socket is written'],
  ])('%s is refused', (url, message) => {
    expect(() => parseRedisUrl(url)).toThrow(message);
  });

  test('no password is ever shown', () => {
    for (const url of [
      'redis://u:secret@h/7',
      'redis://:sec@ret@h/7',
      'redis+sentinel://u:x@a?sentinelPassword=secret',
    ]) {
      expect(maskRedisUrl(url)).not.toMatch(/sec|ret@/);
      expect(() => parseRedisUrl(url)).toThrow(/\*\*\*/);
      expect(() => parseRedisUrl(url)).not.toThrow(/secret|ret@/);
    }
    expect(maskRedisUrl('redis://user@h:1')).toBe('redis://user@h:1');
    expect(maskRedisUrl('nonsense')).toBe('nonsense');
  });
});
