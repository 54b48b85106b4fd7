import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, type TestBrowser } from '../../support/browser.ts';
import { freePort } from '../../support/free-port.ts';
import { startPlatformProcess } from '../../support/platform.ts';
import { atScreen, choose } from './world.ts';

let browser: TestBrowser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

test.concurrent('a page whose node is killed says so, keeps what it knew, and goes on by itself when the node is back', async () => {
  const httpPort = await freePort();
  const flags = ['--http-port', String(httpPort)];
  await using watched = await browser.open();
  const { page } = watched;
  {
    await using platform = await startPlatformProcess({ flags });
    await platform.door.call('RG.FUNCTION', 'LOAD', 'kept', "GB('CommandReader').register({ trigger: 'kept' })");
    await page.goto(`http://127.0.0.1:${httpPort}/#/functions`);
    await page.getByRole('link', { name: 'kept' }).waitFor();
    await platform.kill();
    await page.getByRole('alert').getByText('Disconnected from the node.').waitFor();
    await page.locator('.connection').getByText('Disconnected').waitFor();
    expect(await page.getByRole('alert').innerText()).toMatch(/The newest figures are of \d\d:\d\d:\d\d/);
    expect(await page.getByRole('link', { name: 'kept' }).count()).toBe(1);
  }
  await using again = await startPlatformProcess({ flags });
  expect(again.httpPort).toBe(httpPort);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByText('No function is loaded.').waitFor();
  expect(await page.getByText('Disconnected').count()).toBe(0);
});

test.concurrent('a page whose node stands still is disconnected after three beats', async () => {
  await using platform = await startPlatformProcess();
  await using watched = await browser.open();
  const { page } = watched;
  await page.clock.install();
  await page.goto(`http://127.0.0.1:${platform.httpPort}/`);
  await page.getByText('Live', { exact: true }).waitFor();
  platform.signal('SIGSTOP');
  try {
    // Beats are 5 s apart, and the last one came at most 5 s ago.
    await page.clock.fastForward(7_000);
    expect(await page.getByText('Live', { exact: true }).count()).toBe(1);
    await page.clock.fastForward(9_000);
    await page.getByText('Disconnected from the node.').waitFor();
  } finally {
    platform.signal('SIGCONT');
  }
  await page.getByText('Live', { exact: true }).waitFor();
});

test.concurrent('a page that is told of a time long past says that it is stale, and recovers with a new connection', async () => {
  await using platform = await startPlatformProcess();
  await using watched = await browser.open();
  const { page } = watched;
  await page.addInitScript(() => {
    // A clock that runs faster than the node's: what the node says lies further back with each beat. Two beats are never three apart.
    const { now } = Date;
    const begin = now();
    Date.now = () => begin + 2.6 * (now() - begin);
  });
  await page.goto(`http://127.0.0.1:${platform.httpPort}/`);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByText('What you see is stale.').waitFor({ timeout: 40_000 });
  await page.getByText('Live', { exact: true }).waitFor({ timeout: 40_000 });
});

test.concurrent('an API with tokens asks for one, refuses a wrong one, and lets a reader look but not change', async () => {
  await using platform = await startPlatformProcess();
  await platform.door.call('RG.FUNCTION', 'LOAD', 'kept', "GB('CommandReader').register({ trigger: 'kept' })");
  const base = `http://127.0.0.1:${platform.httpPort}/`;
  await using watched = await browser.open();
  const { page } = watched;
  // The page makes the first token, and from then on needs it itself.
  await page.goto(`${base}#/cluster/tokens`);
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByLabel('Name', { exact: true }).fill('boss');
  await page.getByLabel('Role').selectOption('admin');
  await page.getByRole('button', { name: 'Make', exact: true }).click();
  const admin = await page.getByRole('dialog', { name: 'Token boss' }).locator('pre').innerText();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByText('boss · admin').waitFor();
  await page.getByRole('row').filter({ hasText: 'boss' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Token', { exact: true }).fill('not-a-token');
  await page.getByRole('button', { name: 'Open' }).click();
  await page.getByRole('alert').getByText('UNAUTHENTICATED').waitFor();
  await page.getByLabel('Token', { exact: true }).fill(admin);
  await page.getByRole('button', { name: 'Open' }).click();
  await atScreen(page, 'Cluster');
  await page.getByText('boss · admin').waitFor();
  await page.reload();
  await page.getByText('boss · admin').waitFor();
  // A reader sees everything; what it must not do is off and says why.
  const answer = await fetch(`${base}v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'watcher', role: 'read' }),
  });
  const { token } = (await answer.json()) as { token: string };
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Token', { exact: true }).fill(token);
  await page.getByRole('button', { name: 'Open' }).click();
  await choose(page, 'Functions');
  await page.getByRole('link', { name: 'kept' }).click();
  await atScreen(page, 'kept');
  const remove = page.getByRole('button', { name: 'Delete' });
  expect([await remove.isDisabled(), await remove.getAttribute('title')]).toEqual([
    true,
    'Needs a token with role admin.',
  ]);
});
