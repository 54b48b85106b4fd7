import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { waitFor } from '../../support/wait.ts';
import {
  atScreen,
  BROKEN,
  choose,
  confirm,
  dashboardWorld,
  expectClean,
  hears,
  shopSource,
  uploadByHand,
} from './world.ts';

const world = dashboardWorld();
const ID = 'shop/stream/shop:*';

/** The line of the list of registrations that shows this one. */
const row = (page: Page) => page.getByRole('row').filter({ hasText: ID });

test('a person deploys a function, breaks it, finds the line, rolls back, and redrives what was given up', async () => {
  await using watched = await world.open();
  const { page } = watched;
  const { door } = world.platform;

  // Deploy.
  await atScreen(page, 'Overview');
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Upload one here' }).click();
  await uploadByHand(page, 'shop', shopSource('shop'));
  await hears(page, 'Version 1 of shop is loaded with 1 registration.');
  await door.xadd('shop:eu', '*', 'customer', 'ann', 'amount', '3');
  await choose(page, 'Registrations');
  await row(page).getByText('ok', { exact: true }).waitFor();
  await row(page).getByRole('cell', { name: '1', exact: true }).first().waitFor();
  expect(await door.get('orders:ann')).toBe('3');

  // Break it.
  await choose(page, 'Functions');
  await page.getByRole('link', { name: 'shop', exact: true }).click();
  await page.getByRole('link', { name: 'Upload version' }).click();
  await uploadByHand(page, 'shop', shopSource('shop', BROKEN));
  await hears(page, 'Version 2 of shop is loaded with 1 registration.');
  await door.xadd('shop:eu', '*', 'customer', 'bob', 'amount', '-5');
  await choose(page, 'Registrations');
  await row(page).getByText('failing now').waitFor();
  await page.getByRole('link', { name: ID }).click();
  await page.getByRole('heading', { name: 'Why it fails' }).waitFor();

  // Find the line.
  await choose(page, 'Dead letters');
  const letter = page.getByRole('row').filter({ hasText: 'an order of less than nothing' });
  await letter.getByRole('link').first().click();
  await page.getByRole('heading', { name: /^Dead letter / }).waitFor();
  await expect.poll(() => page.locator('.code .marked').innerText()).toContain(BROKEN);
  expect(await page.locator('.fields').innerText()).toContain('bob');
  await page.getByRole('link', { name: 'shop.ts, line 6' }).click();
  await atScreen(page, 'shop');
  await expect.poll(() => page.locator('.code .marked').getAttribute('data-line')).toBe('6');

  // Try it again in the console.
  await page.goBack();
  await page.getByRole('button', { name: 'Try in console' }).click();
  await atScreen(page, 'Console');
  await page.getByRole('button', { name: 'Run sample' }).click();
  await confirmFailedRun(page);
  expect(await page.locator('.log').innerText()).toContain('order of bob');
  await page.getByLabel('Value of field 2').fill('4');
  await page.getByRole('button', { name: 'Run sample' }).click();
  await confirm(page, `Run a sample through ${ID}?`, 'Run');
  await page.locator('.commands').getByText('INCRBY orders:bob 4').waitFor();
  expect(await door.get('orders:bob')).toBe('4');

  // Compare and roll back.
  await page.goto(`${page.url().split('#')[0]}#/functions/shop/diff?from=1&to=2`);
  await expect
    .poll(() => page.locator('.diff-text.diff-added').allInnerTexts())
    .toEqual([expect.stringContaining(BROKEN)]);
  await page.getByRole('button', { name: 'Roll back', exact: true }).click();
  await confirm(page, 'Roll shop back?', 'Roll back');
  await hears(page, 'shop is back on version 1.');

  // Redrive: counted before, done after the answer.
  await choose(page, 'Dead letters');
  await page.getByRole('button', { name: 'Redrive all found' }).click();
  await page.getByRole('dialog').getByText('1 dead letter').waitFor();
  await confirm(page, 'Redrive all dead letters?', 'Redrive');
  await hears(page, '1 of 1 dead letter redriven.');
  await page.getByText('Nothing has been given up on.').waitFor();
  await waitFor(async () => (await door.get('orders:bob')) === '-1', { what: 'the redriven entry has run' });

  // Amber: it failed, and no longer does.
  await choose(page, 'Registrations');
  await row(page).getByText('failed before').waitFor();
  expectClean(watched);
});

async function confirmFailedRun(page: Page): Promise<void> {
  await confirm(page, `Run a sample through ${ID}?`, 'Run');
  await hears(page, 'The sample has run: failed.');
  await expect.poll(() => page.locator('.code .marked').innerText()).toContain(BROKEN);
}

test('a registration is paused with a reason, resumed, cleared and unregistered, each after a question', async () => {
  const { door } = world.platform;
  await door.call('RG.FUNCTION', 'LOAD', 'pausing', shopSource('pausing'), 'LANGUAGE', 'ts');
  const id = 'pausing/stream/pausing:*';
  await using watched = await world.open(`#/registrations/${encodeURIComponent(id)}`);
  const { page } = watched;
  await page.getByRole('button', { name: `Pause ${id}` }).click();
  await page.getByLabel(/^Reason/).fill('stock-taking');
  await confirm(page, `Pause ${id}?`, 'Pause');
  await hears(page, `${id} is paused.`);
  await page.getByText('paused: stock-taking').waitFor();
  await page.getByRole('button', { name: `Resume ${id}` }).click();
  await confirm(page, `Resume ${id}?`, 'Resume');
  await hears(page, `${id} runs again.`);
  await door.xadd('pausing:x', '*', 'customer', 'eve', 'amount', '1');
  await expect.poll(() => page.locator('.numbers').innerText()).toMatch(/Entries done\s+1/);
  await page.getByRole('button', { name: 'Clear statistics' }).click();
  await confirm(page, `Clear the statistics of ${id}?`, 'Clear');
  await expect.poll(() => page.locator('.numbers').innerText()).toMatch(/Entries done\s+0/);
  await page.getByRole('button', { name: 'Unregister' }).click();
  await confirm(page, `Unregister ${id}?`, 'Unregister');
  await hears(page, `${id} is unregistered.`);
  await atScreen(page, 'Registrations');
  expectClean(watched);
});

test('an upload that does not compile shows the code, the reason and the line, and changes nothing', async () => {
  await using watched = await world.open('#/upload?name=wrong');
  const { page } = watched;
  await page
    .getByLabel('Source', { exact: true })
    .fill("new GB('StreamReader').register({ prefix: 'a', surprise: 1 });");
  await page.getByRole('button', { name: 'Upload', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Upload wrong?' });
  await dialog.getByRole('button', { name: 'Upload' }).click();
  await dialog.getByText('GUEST_ARGUMENT').waitFor();
  expect(await dialog.getByRole('alert').innerText()).toMatch(/unknown argument "surprise"[\s\S]*wrong\.ts:1:/);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await choose(page, 'Functions');
  expect(await page.getByRole('link', { name: 'wrong' }).count()).toBe(0);
});

test('several files that import one another are bundled by the node, and the source shows each as it was', async () => {
  await using watched = await world.open('#/upload');
  const { page } = watched;
  const total = 'export const total = (a: string): number => Number(a) * 2;\n';
  const main =
    "import { total } from './total.ts';\nGB('CommandReader').map((args) => total(args[1] ?? '')).register({ trigger: 'double' });\n";
  await page.getByLabel(/^Files/).setInputFiles([
    { name: 'total.ts', mimeType: 'text/plain', buffer: Buffer.from(total) },
    { name: 'double.ts', mimeType: 'text/plain', buffer: Buffer.from(main) },
  ]);
  await page.getByText('2 files are bundled by the node').waitFor();
  await page.getByRole('button', { name: 'Upload', exact: true }).click();
  await confirm(page, 'Upload double?', 'Upload');
  await atScreen(page, 'double');
  expect(await world.platform.door.call('RG.TRIGGER', 'double', '21')).toEqual(['42']);
  await page.getByRole('link', { name: 'Source', exact: true }).click();
  await page.getByRole('combobox', { name: 'File' }).selectOption('total.ts');
  await expect.poll(() => page.locator('.code').innerText()).toContain('export const total = (a: string): number');
  expectClean(watched);
});
