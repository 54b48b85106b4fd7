/** A sample that looks like the access log of a small shop, made by code: the same seed makes the same lines. */
export interface SampleLog {
  /** Lines in Apache's combined format. */
  readonly lines: readonly string[];
  /** Clicks of the visitors who are logged in. */
  readonly clicks: readonly { readonly user: string; readonly page: string }[];
}

const PAGES = [
  '/',
  '/products',
  '/products/kettle',
  '/products/teapot',
  '/products/cup',
  '/cart',
  '/checkout',
  '/blog/how-to-brew',
  '/about',
  '/static/site.css',
  '/static/site.js',
  '/images/kettle.jpg',
  '/favicon.ico',
  '/wp-login.php',
] as const;
const PAGE_WEIGHTS = [20, 12, 9, 8, 7, 5, 3, 6, 2, 10, 10, 8, 4, 1];
const USERS = ['ann', 'bob', 'cleo', 'dan', 'eve', 'finn', 'gus', 'hana'] as const;
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15',
  'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36',
  'curl/8.14.1',
] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const VISITORS = 120;
/** 2026-01-05 08:00 UTC, a Monday. */
const FIRST_REQUEST_MS = Date.UTC(2026, 0, 5, 8);

/** `count` requests. */
export function makeSampleLog(count: number, seed = 1): SampleLog {
  const random = seededRandom(seed);
  const lines: string[] = [];
  const clicks: { user: string; page: string }[] = [];
  let timeMs = FIRST_REQUEST_MS;
  for (let n = 0; n < count; n += 1) {
    timeMs += Math.floor(random() ** 3 * 4000);
    const visitor = Math.floor(random() ** 2 * VISITORS);
    const page = weighted(PAGES, PAGE_WEIGHTS, random());
    lines.push(lineOf({ visitor, page, timeMs, random }));
    const user = USERS[visitor];
    const isPage = !page.includes('.');
    if (user !== undefined && isPage) clicks.push({ user, page });
  }
  return { lines, clicks };
}

interface Visit {
  readonly visitor: number;
  readonly page: string;
  readonly timeMs: number;
  readonly random: () => number;
}

function lineOf({ visitor, page, timeMs, random }: Visit): string {
  const address = `203.0.${100 + (visitor % 14)}.${1 + ((visitor * 37) % 254)}`;
  const method = page === '/checkout' || (page === '/cart' && random() < 0.5) ? 'POST' : 'GET';
  const status = statusOf(page, random());
  const size = status === 304 ? 0 : 200 + Math.floor(random() ** 4 * 60_000);
  const referer = random() < 0.4 ? '-' : 'https://shop.example/';
  const agent = AGENTS[visitor % AGENTS.length] ?? '-';
  return `${address} - - [${logTime(timeMs)}] "${method} ${page} HTTP/1.1" ${status} ${size} "${referer}" "${agent}"`;
}

function statusOf(page: string, dice: number): number {
  if (page === '/wp-login.php') return 404;
  if (dice < 0.004) return 500;
  if (dice < 0.02) return 404;
  if (page.startsWith('/static') || page.startsWith('/images')) return dice < 0.5 ? 304 : 200;
  return page === '/checkout' && dice < 0.5 ? 302 : 200;
}

function logTime(timeMs: number): string {
  const time = new Date(timeMs);
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = `${two(time.getUTCDate())}/${MONTHS[time.getUTCMonth()]}/${time.getUTCFullYear()}`;
  return `${day}:${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())} +0000`;
}

function weighted(pages: readonly string[], weights: readonly number[], dice: number): string {
  let rest = dice * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [at, weight] of weights.entries()) {
    rest -= weight;
    if (rest < 0) return pages[at] ?? '/';
  }
  return '/';
}

/** The generator "mulberry32": good enough to look random, small enough to be the same everywhere. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
