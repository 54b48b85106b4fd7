import { statSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundlePage } from '../../../../scheduler/gateway/http/dashboard/bundle-page.ts';
import { createDashboardFiles } from '../../../../scheduler/gateway/http/dashboard/dashboard-files.ts';

let files: ReadonlyMap<string, Uint8Array>;
beforeAll(async () => {
  files = await bundlePage();
});

const textOf = (name: string): string => Buffer.from(files.get(name) ?? '').toString();

test('the picture of the README is smaller than 200 kB', () => {
  expect(statSync(new URL('../../../../docs/dashboard.png', import.meta.url)).size).toBeLessThan(200_000);
});

describe('the files of the dashboard', () => {
  test('are exactly those that the door serves', () => {
    expect([...files.keys()].toSorted()).toEqual(createDashboardFiles().names.toSorted());
  });

  test('have less than 150 kB of JavaScript, compressed', () => {
    expect(gzipSync(files.get('page.js') ?? '').length).toBeLessThan(150_000);
  });

  test('refer to nothing outside of the door', () => {
    const addresses = /(?:src|href)="([^"]+)"|url\(([^)]+)\)|@import\s+["']([^"']+)/g;
    const found = ['index.html', 'page.css'].flatMap((name) =>
      [...textOf(name).matchAll(addresses)].map(([, link, url, sheet]) => link ?? url ?? sheet),
    );
    expect(found.toSorted()).toEqual(['/icon.svg', '/page.css', '/page.js']);
    const absolute = textOf('page.js').match(/\bhttps?:\/\/[^"'`]+/g) ?? [];
    expect(absolute.filter((address) => !address.startsWith('http://www.w3.org/'))).toEqual([]);
  });

  test('have no script or style inside of the document, since the policy forbids them', () => {
    expect(textOf('index.html')).not.toMatch(/<style|<script(?![^>]*src=)|\son\w+=|\sstyle=/);
  });

  test('bring the licence of each package whose code is in them', () => {
    const licences = textOf('licences.txt');
    for (const name of ['preact', 'signals', 'signals-core', 'uplot'])
      expect(licences).toMatch(new RegExp(`^${name}\\n`, 'm'));
    expect(licences.match(/Permission is hereby granted/g)).toHaveLength(4);
  });
});
