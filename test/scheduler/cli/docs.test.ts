import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cliDocument, configurationDocument } from '../../../.build/docs.ts';
import { httpDocument } from '../../../.build/http-document.ts';
import { HTTP_INTRO } from '../../../.build/http-intro.ts';

const read = (name: string): string => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');

test('docs/cli.md names every command, argument, option and exit code (npm run docs writes it)', async () => {
  expect(read('cli.md')).toBe(await cliDocument());
});

test('docs/configuration.md names every setting (npm run docs writes it)', () => {
  expect(read('configuration.md')).toBe(configurationDocument());
});

test('docs/http.md names every route, shape and code (npm run docs writes it)', () => {
  expect(read('http.md')).toBe(httpDocument(HTTP_INTRO));
});
