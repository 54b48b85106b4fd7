import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { bundleFile } from '../../../functions/artifacts/bundle.ts';
import { bundleInputs } from '../../../functions/artifacts/bundle-inputs.ts';

const root = mkdtempSync(join(tmpdir(), 'regears-inputs-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const write = (path: string, text: string): string => {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
};

describe('what a bundle is made of', () => {
  test('is the file, what it imports, packages, and the settings beside and above', async () => {
    write('package.json', '{}');
    write('node_modules/dep/package.json', '{ "main": "main.js" }');
    const dep = write('node_modules/dep/main.js', 'module.exports = 1;');
    const lib = write('src/lib/price.ts', 'export const price = 1;');
    const file = write(
      'src/shop.ts',
      "import { price } from './lib/price.js'; import dep from 'dep'; log(String(price + dep));",
    );
    const inputs = await bundleInputs(file);
    expect(inputs).toEqual(expect.arrayContaining([file, lib, dep]));
    for (const name of ['package.json', 'tsconfig.json', 'src/tsconfig.json', 'node_modules/dep/package.json']) {
      expect(inputs).toContain(join(root, name));
    }
    expect(inputs.some((path) => dirname(path) === dirname(root))).toBe(false);
  });

  test('names where an import that is missing could be, also next to mistakes', async () => {
    const other = write('src/other.ts', 'export const other = 1;');
    const file = write('src/broken.ts', "import './other.ts'; import './soon/new.js'; import 'absent';");
    const inputs = await bundleInputs(file);
    expect(inputs).toEqual(expect.arrayContaining([file, other]));
    for (const name of ['src/soon/new.ts', 'src/soon/new.js', 'node_modules/absent/package.json']) {
      expect(inputs).toContain(join(root, name));
    }
    expect(inputs.some((path) => path.startsWith(join(root, 'src', 'other.ts.')))).toBe(false);
  });

  test('of a file that is not there is its own path', async () => {
    expect(await bundleInputs(join(root, 'src/nobody.ts'))).toContain(join(root, 'src/nobody.ts'));
  });
});

test('a mistake is told with its line, and its columns are characters', async () => {
  const file = write('src/mistake.ts', "const ä = 'ü'; const x = ;\n");
  await expect(bundleFile(file)).rejects.toMatchObject({
    code: 'ARTIFACT_INVALID',
    details: { mistakes: [{ line: 1, column: 26, length: 1, lineText: "const ä = 'ü'; const x = ;" }] },
  });
});
