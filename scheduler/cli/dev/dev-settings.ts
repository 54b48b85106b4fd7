import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings, type ResolvedSettings } from '../../config.ts';
import { freeOrAny } from '../free-ports.ts';

/** Settings of the node that `regears dev` runs. */
export interface DevSettings extends ResolvedSettings {
  /** The folder with the data of the node's own Redis is removed at the end. */
  readonly isTemporary: boolean;
  /** Names of settings outside of the command line that are not followed. */
  readonly ignored: readonly string[];
}

/** A handler that hangs must not hold up Ctrl-C for long. */
const DRAIN_MS = 1_000;

/**
 * Settings as for `regears start`, but: Redis and its data are the node's own unless the command line names others, so that
 * nobody develops on the Redis of a `regears.config.json` unawares; ports that are taken are replaced by free ones. The temporary
 * folder is made here and goes with `opening`. Errors: CONFIG_INVALID.
 */
export async function devSettings(
  flags: Readonly<Record<string, string>>,
  configFile: string | undefined,
  opening: AsyncDisposableStack,
): Promise<DevSettings> {
  const { settings, origins } = loadSettings(flags, configFile);
  const isFlag = (path: keyof typeof origins): boolean => origins[path].source === 'flag';
  const isDefault = (path: keyof typeof origins): boolean => origins[path].source === 'default';
  const redisUrl = isFlag('redisUrl') ? settings.redisUrl : null;
  const isTemporary = redisUrl === null && !isFlag('dataDir');
  const ignored = (['redisUrl', 'dataDir'] as const).filter((path) => !isFlag(path) && !isDefault(path));
  return {
    settings: {
      ...settings,
      redisUrl,
      dataDir: isTemporary ? temporaryFolder(opening) : settings.dataDir,
      logLevel: isDefault('logLevel') ? 'error' : settings.logLevel,
      delivery: { ...settings.delivery, drainMs: isDefault('delivery.drainMs') ? DRAIN_MS : settings.delivery.drainMs },
      respPort: isFlag('respPort') ? settings.respPort : await freeOrAny(settings.respHost, settings.respPort),
      httpPort: isFlag('httpPort') ? settings.httpPort : await freeOrAny(settings.httpHost, settings.httpPort),
    },
    origins,
    isTemporary,
    ignored: ignored.map((path) => origins[path].name),
  };
}

function temporaryFolder(opening: AsyncDisposableStack): string {
  const folder = mkdtempSync(join(tmpdir(), 'regears-dev-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  // Also when a second Ctrl-C ends the process at once.
  process.once('exit', remove);
  opening.defer(() => {
    process.off('exit', remove);
    remove();
  });
  return folder;
}
