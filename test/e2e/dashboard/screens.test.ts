import { readFile } from 'node:fs/promises';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { shortId } from '../../../scheduler/gateway/http/dashboard/page/text/format.ts';
import { waitFor } from '../../support/wait.ts';
import { atScreen, BROKEN, confirm, dashboardWorld, expectClean, hears, shopSource } from './world.ts';

const world = dashboardWorld();
const encode = encodeURIComponent;
const ID = 'shop/stream/shop:*';
/** Somebody makes names from paths and hashes, and no space is in them. */
const LONG = `of-a-path-${'0123456789abcdef'.repeat(3)}`;
let letterId = '';
let executionId = '';

beforeAll(async () => {
  const { door } = world.platform;
  await door.call('RG.FUNCTION', 'LOAD', 'shop', shopSource('shop'), 'LANGUAGE', 'ts');
  await door.call('RG.FUNCTION', 'LOAD', 'shop', shopSource('shop', BROKEN), 'LANGUAGE', 'ts');
  await door.xadd('shop:eu', '*', 'customer', 'ann', 'amount', '3');
  await door.xadd('shop:eu', '*', 'customer', 'bob', 'amount', '-5', 'note', '{"gift":true}');
  letterId = await waitFor(async () => (await get<{ id: string }>('/v1/dead-letters')).items[0]?.id, {
    what: 'a dead letter',
  });
  await door.call('RG.FUNCTION', 'LOAD', LONG, shopSource(`${LONG}:shop`, 'throw new Error(r.id.repeat(30));'));
  await door.xadd(`${LONG}:shop:eu`, '*', 'customer', 'eve', 'note', LONG.repeat(9));
  await call('POST', `/v1/functions/${LONG}/env`, { set: { REGION: LONG } });
  await waitFor(async () => (await get('/v1/dead-letters')).items.length === 2, { what: 'the other dead letter' });
  await call('PUT', '/v1/config/options/ProfileExecutions', { value: '1' });
  const source =
    "GB('KeysReader').map((r) => { for (let n = 0; n < 3e7; n += 1); return r.key; }).flatmap((k) => k.split(':')).countby().run('orders:*');";
  executionId = ((await call('POST', '/v1/runs?wait=true', { source })) as { id: string }).id;
});

async function call(method: string, path: string, body?: unknown): Promise<unknown> {
  const init =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(`http://127.0.0.1:${world.platform.httpPort}${path}`, { method, ...init });
  expect(response.ok).toBe(true);
  return response.json();
}

const get = async <T>(path: string): Promise<{ items: T[] }> => (await call('GET', path)) as { items: T[] };

/** Every screen: its address, its heading, and something of it that comes from the node. */
const SCREENS: readonly (readonly [name: string, hash: () => string, heading: () => string | RegExp, sign: string])[] =
  [
    ['overview', () => '#/', () => 'Overview', '.chart canvas'],
    ['functions', () => '#/functions', () => 'Functions', 'text=shop'],
    ['versions', () => '#/functions/shop', () => 'shop', 'text=active'],
    ['source', () => '#/functions/shop/source?version=2&line=6', () => 'shop', '.code .marked'],
    ['comparison', () => '#/functions/shop/diff', () => 'shop', '.diff-added'],
    ['environment', () => `#/functions/${LONG}/environment`, () => LONG, 'text=REGION'],
    ['empty environment', () => '#/functions/shop/environment', () => 'shop', 'text=No variable is set'],
    ['upload', () => '#/upload', () => 'Upload a function', 'textarea'],
    ['registrations', () => '#/registrations', () => 'Registrations', '.badge-bad'],
    ['registration', () => `#/registrations/${encode(ID)}`, () => ID, '.numbers'],
    ['streams', () => '#/streams', () => 'Streams', 'text=1 alive'],
    ['stream', () => '#/streams/shop%3Aeu', () => 'shop:eu', '.entries li'],
    ['stream of a long name', () => `#/streams/${LONG}%3Ashop%3Aeu`, () => `${LONG}:shop:eu`, '.entries li'],
    ['executions', () => '#/executions', () => 'Executions', 'text=KeysReader'],
    ['execution', () => `#/executions/${encode(executionId)}`, () => /^Execution /, '.steps meter'],
    ['dead letters', () => '#/dead-letters', () => 'Dead letters', 'text=an order of less than nothing'],
    ['dead letter', () => `#/dead-letters/${encode(letterId)}`, () => /^Dead letter /, '.code .marked'],
    ['logs', () => '#/logs', () => 'Logs', 'text=order of bob'],
    ['console', () => `#/console?registration=${encode(ID)}`, () => 'Console', 'text=Run sample'],
    ['nodes', () => '#/cluster', () => 'Cluster', 'text=serves this page'],
    ['Redis', () => '#/cluster/redis', () => 'Cluster', 'text=reachable'],
    ['doctor', () => '#/cluster/doctor', () => 'Cluster', '.checks li'],
    ['options', () => '#/cluster/options', () => 'Cluster', 'text=ProfileExecutions'],
    ['settings', () => '#/cluster/settings', () => 'Cluster', 'text=redis'],
    ['tokens', () => '#/cluster/tokens', () => 'Cluster', 'text=There is no token'],
    ['no screen', () => '#/nowhere', () => 'Nothing here', 'text=no screen at this address'],
  ];

async function eachScreen(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  for (const [name, hash, heading, sign] of SCREENS) {
    await page.goto(`http://127.0.0.1:${world.platform.httpPort}/${hash()}`);
    await page.getByRole('heading', { level: 1, name: heading(), exact: true }).waitFor();
    await page.locator(`main >> ${sign}`).first().waitFor();
    await look(name);
  }
}

/** What is wrong for people who do not see or point well: names, contrast, roles. */
async function obstacles(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { run } = (globalThis as unknown as { axe: typeof axe }).axe;
    const { violations } = await run(document, { resultTypes: ['violations'] });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
  });
}

describe('every screen', () => {
  test.each(['light', 'dark'] as const)('has names, roles and contrast in %s colours', async (colorScheme) => {
    await using watched = await world.open('', { colorScheme, reducedMotion: 'reduce' });
    const found: Record<string, readonly string[]> = {};
    await eachScreen(watched.page, async (name) => {
      const list = await obstacles(watched.page);
      if (list.length > 0) found[name] = list;
    });
    expect(found).toEqual({});
    expectClean(watched);
  });

  test.each([360, 1280])('fits %d pixels without scrolling sideways', async (width) => {
    await using watched = await world.open('', { viewport: { width, height: 740 }, hasTouch: width === 360 });
    const wide: Record<string, number> = {};
    await eachScreen(watched.page, async (name) => {
      const over = await watched.page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return scrollWidth - clientWidth;
      });
      if (over > 0) wide[name] = over;
    });
    expect(wide).toEqual({});
  });
});

test('a function that is not there is said to be not there, and nothing waits for it', async () => {
  await using watched = await world.open('#/functions/none');
  const main = watched.page.getByRole('main');
  await main.getByText('FUNCTION_NOT_FOUND').waitFor();
  expect(await main.innerText()).not.toContain('Loading');
});

test('every address in docs/dashboard.md is a screen', async () => {
  const text = await readFile(new URL('../../../docs/dashboard.md', import.meta.url), 'utf8');
  const addresses = [...new Set([...text.matchAll(/`(#\/[^`?]*)/g)].map(([, address = '']) => address))];
  expect(addresses.length).toBeGreaterThan(14);
  await using watched = await world.open();
  const { page } = watched;
  for (const address of addresses) {
    await page.goto(`http://127.0.0.1:${world.platform.httpPort}/${address}`);
    const tab = address.startsWith('#/cluster')
      ? page.locator(`.tabs a[href="${address}"][aria-current]`)
      : page.locator('h1');
    await tab.waitFor();
    expect([address, await page.locator('h1').innerText()]).not.toEqual([address, 'Nothing here']);
  }
});

test('an execution shows the time of each step and its results, and is dropped after a question', async () => {
  await using watched = await world.open(`#/executions/${encode(executionId)}`);
  const { page } = watched;
  await page.getByText('accumulatebykey').first().waitFor();
  expect(await page.locator('.step-time').first().innerText()).toMatch(/m?s$/);
  await page.getByRole('button', { name: 'Show results' }).click();
  await expect.poll(() => page.locator('pre.block').last().innerText()).toContain('"key": "orders"');
  const other = (await call('POST', '/v1/runs?wait=true', { source: "GB('KeysReader').count().run('x:*');" })) as {
    id: string;
  };
  await page.goto(`${page.url().split('#')[0]}#/executions/${encode(other.id)}`);
  await page.getByRole('button', { name: 'Drop' }).click();
  await confirm(page, `Drop execution ${shortId(other.id)}?`, 'Drop');
  await hears(page, `Execution ${shortId(other.id)} is dropped.`);
  await atScreen(page, 'Executions');
});

test('a running execution is aborted after a question', async () => {
  const source = "GB('KeysReader').foreach(() => new Promise(() => {})).run('orders:*');";
  const { id } = (await call('POST', '/v1/runs', { source })) as { id: string };
  await using watched = await world.open(`#/executions/${encode(id)}`);
  const { page } = watched;
  await page.getByRole('button', { name: 'Abort' }).click();
  await confirm(page, `Abort execution ${shortId(id)}?`, 'Abort');
  await hears(page, `Execution ${shortId(id)} is aborted.`);
  await page.locator('.error-text').getByText('Execution aborted').waitFor();
});

test('a dead letter is found by its error, chosen, counted, and discarded', async () => {
  const { door } = world.platform;
  await door.call('RG.FUNCTION', 'LOAD', 'bin', shopSource('bin', "throw new Error('for the bin');"), 'LANGUAGE', 'ts');
  for (const n of [1, 2, 3]) await door.xadd('bin:a', '*', 'customer', `c${n}`, 'amount', String(n));
  await waitFor(async () => (await get('/v1/dead-letters?function=bin')).items.length === 3, {
    what: 'three dead letters',
  });
  await using watched = await world.open('#/dead-letters');
  const { page } = watched;
  await page.getByLabel('Error', { exact: true }).fill('the bin');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect.poll(() => page.locator('tbody tr').count()).toBe(3);
  await page
    .getByLabel(/^Choose dead letter/)
    .first()
    .check();
  await page.getByRole('button', { name: 'Discard 1 chosen' }).click();
  await page.getByRole('dialog').getByText('1 dead letter', { exact: true }).waitFor();
  await confirm(page, 'Discard 1 chosen dead letter?', 'Discard');
  await hears(page, '1 dead letter discarded.');
  await page.getByRole('button', { name: 'Discard all found' }).click();
  await page.getByRole('dialog').getByText('2 dead letters', { exact: true }).waitFor();
  await confirm(page, 'Discard all dead letters that the search finds?', 'Discard');
  await page.getByText('The search finds none.').waitFor();
  expect((await get('/v1/dead-letters?function=shop')).items).toHaveLength(1);
});

test('log lines come as they are written, and can be held still', async () => {
  const { door } = world.platform;
  await using watched = await world.open('#/logs?function=shop');
  const { page } = watched;
  await page.getByText('order of ann').first().waitFor();
  await door.xadd('shop:eu', '*', 'customer', 'carol', 'amount', '1');
  await page.getByText('order of carol').waitFor();
  await page.getByLabel('Hold still').check();
  await door.xadd('shop:eu', '*', 'customer', 'dora', 'amount', '1');
  await waitFor(async () => (await door.get('orders:dora')) === '1', { what: 'the entry has run' });
  await page.getByLabel('Filter lines').fill('dora');
  await page.getByText('No line is like this.').waitFor();
  await page.getByLabel('Hold still').uncheck();
  await page.getByText('order of dora').waitFor();
});

test('an option of the fleet is changed after a question, and a wrong value is explained', async () => {
  await using watched = await world.open('#/cluster/options');
  const { page } = watched;
  const row = page.getByRole('row').filter({ hasText: 'MaxExecutions' }).first();
  await row.getByRole('button').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Value, for every node').fill('many');
  await dialog.getByRole('button', { name: 'Change' }).click();
  await dialog.getByRole('alert').waitFor();
  await dialog.getByLabel('Value, for every node').fill('777');
  await dialog.getByRole('button', { name: 'Change' }).click();
  await dialog.waitFor({ state: 'detached' });
  await hears(page, /is 777\.$/);
  await row.getByText('777').waitFor();
});
