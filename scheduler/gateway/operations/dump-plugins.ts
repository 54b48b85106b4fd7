import { createRequire } from 'node:module';
import process from 'node:process';
import type { Operation } from './operation.ts';
import { arityError } from './syntax-error.ts';

/** `RG.DUMPPLUGINS`: `[[name, version], …]` of what runs functions. */
export function createDumpPluginsOperation(): Operation {
  return {
    name: 'RG.DUMPPLUGINS',
    summary: 'Shows the engines that run functions, with their versions.',
    syntax: ['RG.DUMPPLUGINS'],
    permission: () => 'read',
    async run(args) {
      if (args.length > 0) throw arityError('rg.dumpplugins');
      const { version } = createRequire(import.meta.url)('isolated-vm/package.json') as { readonly version: string };
      return [
        ['isolated-vm', version],
        ['v8', process.versions.v8],
        ['node', process.versions.node],
      ];
    },
  };
}
