/**
 * `npm run screenshot`: writes docs/dashboard.png, the picture of the README: the overview of a node that has had something
 * to do for a while.
 */
import { readFile } from 'node:fs/promises';
import { stdout } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openBrowser } from '../../support/browser.ts';
import { startPlatformProcess } from '../../support/platform.ts';
import { BROKEN, shopSource } from './world.ts';

const ROOT = new URL('../../../', import.meta.url);
const PICTURE = fileURLToPath(new URL('docs/dashboard.png', ROOT));
/** How long events come before the picture is taken. */
const FEED_MS = 90_000;
const TICK_MS = 100;

await using platform = await startPlatformProcess();
const { door } = platform;
for (const name of ['clicks', 'greet', 'access-log']) {
  const source = await readFile(new URL(`functions/examples/${name}.ts`, ROOT), 'utf8');
  await door.call('RG.FUNCTION', 'LOAD', name, source, 'LANGUAGE', 'ts');
}
await door.call('RG.FUNCTION', 'LOAD', 'shop', shopSource('shop', BROKEN), 'LANGUAGE', 'ts');

await using browser = await openBrowser();
await using watched = await browser.open({ viewport: { width: 1200, height: 780 }, colorScheme: 'light' });
const { page } = watched;
await page.goto(`http://127.0.0.1:${platform.httpPort}/`);

const beganAtMs = performance.now();
for (let tick = 0; performance.now() - beganAtMs < FEED_MS; tick += 1) {
  const pipeline = door.pipeline();
  const events = Math.round(30 + 20 * Math.sin(tick / 60) + 6 * Math.random());
  for (let event = 0; event < events; event += 1) {
    const visitor = `visitor-${Math.floor(Math.random() * 50)}`;
    pipeline.xadd('events:web', '*', ...(event % 6 === 0 ? ['beacon', '1'] : ['user', visitor, 'page', '/home']));
  }
  pipeline.xadd('shop:eu', '*', 'customer', 'ann', 'amount', tick === 600 ? '-5' : '3');
  await pipeline.exec();
  await sleep(TICK_MS);
}
await page.screenshot({ path: PICTURE });
stdout.write(`${PICTURE}\n`);
door.disconnect();
