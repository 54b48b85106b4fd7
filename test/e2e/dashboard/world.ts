import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { openBrowser, type TestBrowser, type WatchedPage } from '../../support/browser.ts';
import { type PlatformProcess, startPlatformProcess } from '../../support/platform.ts';

/** A node and a browser for all tests of a file. */
export interface DashboardWorld {
  readonly platform: PlatformProcess;
  readonly browser: TestBrowser;
  /** A page of the node, at this address behind #. */
  open(hash?: string, options?: BrowserContextOptions): Promise<WatchedPage>;
}

const SETUP_MS = 120_000;

export function dashboardWorld(): DashboardWorld {
  const parts: { platform?: PlatformProcess; browser?: TestBrowser } = {};
  beforeAll(async () => {
    [parts.platform, parts.browser] = await Promise.all([startPlatformProcess(), openBrowser()]);
  }, SETUP_MS);
  afterAll(async () => {
    await parts.browser?.[Symbol.asyncDispose]();
    await parts.platform?.[Symbol.asyncDispose]();
  }, SETUP_MS);
  const get = <K extends keyof typeof parts>(name: K): NonNullable<(typeof parts)[K]> => {
    const part = parts[name];
    if (part === undefined) throw new Error('The world has not been started.');
    return part;
  };
  return {
    get platform() {
      return get('platform');
    },
    get browser() {
      return get('browser');
    },
    open: async (hash = '', options) => {
      const watched = await get('browser').open(options);
      await watched.page.goto(`http://127.0.0.1:${get('platform').httpPort}/${hash}`);
      return watched;
    },
  };
}

/** A function that sums orders; `check` is put before the command, to break it. */
export function shopSource(prefix: string, check = ''): string {
  return `/** Sums what each customer has ordered. */
new GearsBuilder('StreamReader', '*', 'orders per customer')
  .filter((r) => Boolean(r.value.customer))
  .foreach(async (r) => {
    log(\`order of \${r.value.customer}\`);${check === '' ? '' : `\n    ${check}`}
    await execute('INCRBY', \`orders:\${r.value.customer}\`, r.value.amount ?? '0');
  })
  .register({ prefix: '${prefix}:*', mode: 'async_local', onFailedPolicy: 'retry', maxAttempts: 2, onFailedRetryInterval: 0.05 });
`;
}

export const BROKEN = "if (Number(r.value.amount) < 0) throw new Error('an order of less than nothing');";

/** Waits until the page shows the heading of a screen. */
export async function atScreen(page: Page, title: string): Promise<void> {
  await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
}

/** Uploads a function by hand, as a person does. */
export async function uploadByHand(page: Page, name: string, source: string): Promise<void> {
  await atScreen(page, 'Upload a function');
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Source', { exact: true }).fill(source);
  await page.getByRole('button', { name: 'Upload', exact: true }).click();
  await confirm(page, `Upload ${name}?`, 'Upload');
  await atScreen(page, name);
}

/** Answers the question with this title by its button; it must go away, since the action has worked. */
export async function confirm(page: Page, title: string, action: string): Promise<void> {
  const dialog = page.getByRole('dialog', { name: title });
  await dialog.getByRole('button', { name: action, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

/** What an action says that it has done. */
export async function hears(page: Page, sentence: string | RegExp): Promise<void> {
  await page.locator('.notices').getByText(sentence).first().waitFor();
}

/** Goes to a screen of the menu. */
export async function choose(page: Page, screen: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: screen }).click();
  await atScreen(page, screen);
}

/** Nothing was asked of anybody else, and the console of the browser is clean. */
export function expectClean({ page, requests, complaints }: WatchedPage): void {
  const { origin } = new URL(page.url());
  expect(requests.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith('data:'))).toEqual([]);
  expect(complaints).toEqual([]);
}
