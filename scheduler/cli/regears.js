#!/usr/bin/env node
// Plain JavaScript that any Node can parse, so that an old one gets a sentence and not a syntax error.
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

const NEEDED = 24;
const major = Number(process.versions.node.split('.')[0]);

if (major < NEEDED) {
  console.error(
    `regears needs Node ${NEEDED} or newer, this is Node ${process.versions.node}. Install a current Node from ` +
      'https://nodejs.org, or use one for this project only: npm install node@24, then npx regears …',
  );
  process.exitCode = 1;
} else {
  // What V8 has compiled is kept where only this user writes: a command starts in half the time. Without such a place it starts as ever.
  nodeModule.enableCompileCache?.(join(homedir(), '.cache', 'regears', 'compiled'));
  const source = new URL('./main.ts', import.meta.url);
  const compiled = new URL('../../dist/scheduler/cli/main.js', import.meta.url);
  const { main } = await import((existsSync(source) ? source : compiled).href);
  process.exitCode = await main(process.argv.slice(2));
}
