import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { findBrowser } from './ensure-browser.ts';

/** A real Chromium, headless, that talks to nobody by itself. */
export interface TestBrowser extends AsyncDisposable {
  /** A fresh profile with one page. */
  open(options?: BrowserContextOptions): Promise<WatchedPage>;
}

/** A page whose doings are written down. */
export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors and warnings of its console, and exceptions. */
  readonly complaints: readonly string[];
  /** Addresses of everything it has asked for. */
  readonly requests: readonly string[];
}

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** On a loaded machine a browser takes its time. */
const ACTION_MS = 20_000;

export async function openBrowser(): Promise<TestBrowser> {
  const executablePath = findBrowser();
  if (executablePath === undefined) throw new Error('There is no Chromium; `npm test` installs one where it may.');
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  return {
    open: (options = {}) => openPage(browser, options),
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

async function openPage(browser: Browser, options: BrowserContextOptions): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  context.setDefaultTimeout(ACTION_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => void complaints.push(error.message));
  page.on('request', (request) => void requests.push(request.url()));
  return { page, complaints, requests, [Symbol.asyncDispose]: () => context.close() };
}
