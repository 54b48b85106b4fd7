import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { waitFor } from '../../support/wait.ts';
import { atScreen, confirm, dashboardWorld, expectClean, hears, shopSource } from './world.ts';

const world = dashboardWorld();

/** What has the focus, as a person hears it. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const { activeElement } = document;
    return activeElement?.getAttribute('aria-label') ?? activeElement?.textContent ?? '';
  });

/** Tab until the focus is on something with this name; where it is must be seen. */
async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  const seen: string[] = [];
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    seen.push(await focused(page));
    if (typeof name === 'string' ? seen.at(-1) === name : name.test(seen.at(-1) ?? '')) {
      expect(await page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle)).toBe(
        'solid',
      );
      return;
    }
  }
  throw new Error(`Tab never came to ${String(name)}, but to: ${seen.join(' | ')}`);
}

test('a walk with the keyboard only: keys, rows, a question answered and one given up', async () => {
  const { door } = world.platform;
  await door.call('RG.FUNCTION', 'LOAD', 'hands', shopSource('hands'), 'LANGUAGE', 'ts');
  const id = 'hands/stream/hands:*';
  await using watched = await world.open();
  const { page } = watched;
  await atScreen(page, 'Overview');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await atScreen(page, 'Registrations');
  await page.getByRole('link', { name: id }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('hands');
  expect(await page.getByRole('row').count()).toBe(2);
  await page.keyboard.press('Enter');
  expect(await focused(page)).toBe(id);
  await page.keyboard.press('Enter');
  await atScreen(page, id);
  await tabTo(page, `Pause ${id}`);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: `Pause ${id}?` }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await focused(page)).toBe(`Pause ${id}`);
  await page.keyboard.press('Enter');
  await tabTo(page, 'Pause');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: `Resume ${id}` }).waitFor();
  expectClean(watched);
});

test('secrets and variables are set with the keyboard, shown as what they are, and unset after a question', async () => {
  const { door } = world.platform;
  const source = `configure({ secrets: ['API_KEY'] });
    GB('CommandReader').map(() => env('REGION') + secret('API_KEY').length).register({ trigger: 'keeper' });`;
  await door.call('RG.FUNCTION', 'LOAD', 'keeper', source);
  await using watched = await world.open('#/functions/keeper/environment');
  const { page } = watched;
  await page.getByText('missing: the function waits for it').waitFor();
  await tabTo(page, 'Set API_KEY');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Change API_KEY of keeper?' });
  expect(await dialog.getByLabel('Value').getAttribute('type')).toBe('password');
  await dialog.getByLabel('Value').focus();
  await page.keyboard.type('sk-typed-0123');
  await page.keyboard.press('Enter');
  await hears(page, 'API_KEY of keeper is set.');
  await tabTo(page, 'Set a variable');
  await page.keyboard.press('Enter');
  await page.getByLabel('Name').fill('REGION');
  await page.getByLabel('Value').fill('eu');
  await page.keyboard.press('Enter');
  await hears(page, 'REGION of keeper is set.');
  await page.getByRole('table', { name: 'variables of keeper' }).getByText('eu', { exact: true }).waitFor();
  expect(await door.call('RG.TRIGGER', 'keeper')).toEqual(['eu13']);
  expect(await page.content()).not.toContain('sk-typed');
  await tabTo(page, 'Unset API_KEY');
  await page.keyboard.press('Enter');
  await confirm(page, 'Unset API_KEY of keeper?', 'Unset');
  await page.getByText('missing: the function waits for it').waitFor();
  expectClean(watched);
});

test('a change that somebody else was faster with is refused, and says so', async () => {
  const { door } = world.platform;
  await door.call('RG.FUNCTION', 'LOAD', 'shared', shopSource('shared'), 'LANGUAGE', 'ts');
  await door.call('RG.ENV', 'SET', 'shared', '*', 'REGION', 'eu');
  await using watched = await world.open('#/functions/shared/environment');
  const { page } = watched;
  await page.getByRole('button', { name: 'Change REGION' }).click();
  await door.call('RG.ENV', 'SET', 'shared', '*', 'REGION', 'us');
  await page.getByLabel('Value').fill('asia');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('VARIABLES_CHANGED').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('table', { name: 'variables of shared' }).getByText('us', { exact: true }).waitFor();
});

test('the colours follow the system, and a switch that is remembered', async () => {
  const background = (page: Page): Promise<string> =>
    page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await using watched = await world.open('', { colorScheme: 'light' });
  const { page } = watched;
  await atScreen(page, 'Overview');
  const light = await background(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await background(page);
  expect(dark).not.toBe(light);
  await page.getByRole('button', { name: 'Colours: system' }).click();
  expect(await background(page)).toBe(light);
  await page.keyboard.press('t');
  await page.getByRole('button', { name: 'Colours: dark' }).waitFor();
  await page.emulateMedia({ colorScheme: 'light' });
  expect(await background(page)).toBe(dark);
  await page.reload();
  await page.getByRole('button', { name: 'Colours: dark' }).waitFor();
  expect(await background(page)).toBe(dark);
});

test('a list of a thousand stays quick: in pages, filtered, sorted, with what fails in front', async () => {
  const { door } = world.platform;
  const source = Array.from(
    { length: 1000 },
    (_, n) =>
      `GB('CommandReader').map(() => { if (${n} === 777) throw new Error('seven'); return ${n}; }).register({ trigger: 'many.${n}' });`,
  );
  await door.call('RG.FUNCTION', 'LOAD', 'many', source.join('\n'));
  await door.call('RG.TRIGGER', 'many.777').catch(() => undefined);
  await using watched = await world.open('#/registrations?function=many');
  const { page } = watched;
  await page.getByText('1–50 of 1,000').waitFor();
  await expect.poll(() => page.locator('tbody tr').first().innerText()).toContain('many.777');
  expect(await page.locator('tbody tr').count()).toBe(50);
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByText('51–100 of 1,000').waitFor();
  const filter = page.getByLabel('Filter registrations');
  const startedAt = performance.now();
  await filter.fill('many.12');
  await page.getByText('1–11 of 11').waitFor();
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  await filter.fill('');
  await page.getByRole('button', { name: /^Registration/ }).click();
  await expect.poll(() => page.locator('tbody tr').first().innerText()).toContain('many.0');
  await page.getByRole('button', { name: /^Registration/ }).click();
  await expect.poll(() => page.locator('tbody tr').first().innerText()).toContain('many.999');
});

test('the first paint comes within a second, and the overview fills by itself', async () => {
  await using warm = await world.open();
  await atScreen(warm.page, 'Overview');
  await using watched = await world.open();
  const { page } = watched;
  await atScreen(page, 'Overview');
  const paintMs = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0);
  expect(paintMs).toBeGreaterThan(0);
  expect(paintMs).toBeLessThan(1_000);
  await page.locator('.chart canvas').first().waitFor();
  const { door } = world.platform;
  await door.call('RG.FUNCTION', 'LOAD', 'paint', shopSource('paint'), 'LANGUAGE', 'ts');
  await waitFor(
    async () => {
      await door.xadd('paint:a', '*', 'customer', 'ann', 'amount', '1');
      const figure = await page.locator('.legend').first().innerText();
      return !/^\s*done\s+0\b/.test(figure);
    },
    { what: 'the chart shows entries that are done', intervalMs: 200 },
  );
});
