import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import { urlOf } from './ask-server.ts';
import { addressesFor, type ChosenAddress, portAddress } from './choose-address.ts';
import { type DataDirLock, lockDataDir } from './data-dir-lock.ts';
import { findServers, isUsable, missingServerText } from './find-server.ts';
import { openDataDir } from './open-data-dir.ts';
import { startOf } from './process-identity.ts';
import { serverConfig } from './server-config.ts';
import { failed, launchServer, type ServerProcess } from './server-process.ts';
import { removeRecord, removeSocketDir, stopOrphan, writeRecord } from './server-record.ts';

export interface EmbeddedRedisOptions {
  /** Data are kept in `redis` below it; made if it is not there. */
  readonly dataDir: string;
  readonly log: Logger;
  /** False: listen on a loopback port with a password instead of a unix socket. Default true. */
  readonly useSocket?: boolean;
}

/** A server of our own, restarted should it die; disposing stops it. */
export interface EmbeddedRedis extends AsyncDisposable {
  /** What `connectRedis` takes; the same over restarts of the server. */
  readonly url: string;
  /** Null when it listens on a port. */
  readonly socketPath: string | null;
  /** Null when it listens on a socket. */
  readonly port: number | null;
  /** Of the present process; another one after a restart. */
  readonly pid: number;
}

const STOP_DEADLINE_MS = 10_000;
const FIRST_RESTART_MS = 50;
const LAST_RESTART_MS = 5_000;
/** A server that lived so long has recovered: the next restart is a first one again. */
const STABLE_MS = 30_000;

/**
 * Starts a server with an append-only file below `dataDir` and resolves when it answers. Errors: EMBEDDED_REDIS_FAILED
 * with a sentence about what to install, who uses the directory, or what the server said; CONFIG_INVALID when the
 * directory cannot be used at all.
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const dir = openDataDir(options.dataDir);
  const lock = lockDataDir(dir);
  try {
    await stopOrphan(dir, options.log);
    const command = await usableCommand();
    const { chosen, server } = await startSomewhere({ ...options, dir, command });
    return new SupervisedServer({ ...options, dir, command, lock, chosen, server });
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function usableCommand(): Promise<string> {
  const found = await findServers();
  const program = found.find(isUsable);
  if (program) return program.command;
  throw new PlatformError<SchedulerErrorCode>(
    'EMBEDDED_REDIS_FAILED',
    `${missingServerText(found)}, or name a running server with --redis <url>`,
  );
}

interface Place extends EmbeddedRedisOptions {
  readonly dir: string;
  readonly command: string;
}

/** Tries one address after the other: not every disk can hold a socket. The last one's failure is the caller's. */
async function startSomewhere(place: Place): Promise<{ chosen: ChosenAddress; server: ServerProcess }> {
  const candidates = place.useSocket === false ? [portAddress] : addressesFor(place.dir);
  let lastError: unknown = failed('no address to listen on');
  for (const choose of candidates) {
    const chosen = await choose();
    try {
      return { chosen, server: await startAt(place, chosen) };
    } catch (error) {
      place.log.debug({ err: error }, 'the embedded server did not start at this address');
      if (chosen.socketDir !== null) removeSocketDir(chosen.socketDir);
      removeRecord(place.dir);
      lastError = error;
    }
  }
  throw lastError;
}

/** @param signal ends a start that is under way, however long the server still loads its data. */
async function startAt(place: Place, chosen: ChosenAddress, signal?: AbortSignal): Promise<ServerProcess> {
  const configFile = join(place.dir, 'redis.conf');
  writeFileSync(configFile, serverConfig(place.dir, chosen.address), { mode: 0o600 });
  const server = await launchServer({ command: place.command, configFile, address: chosen.address });
  writeRecord(place.dir, {
    pid: server.pid,
    start: startOf(server.pid),
    configFile,
    socketDir: chosen.socketDir,
  });
  const stop = (): void => void server.stop(STOP_DEADLINE_MS);
  signal?.addEventListener('abort', stop);
  try {
    await server.ready();
    return server;
  } catch (error) {
    await server.stop(STOP_DEADLINE_MS);
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

interface SupervisedOptions extends Place {
  readonly lock: DataDirLock;
  readonly chosen: ChosenAddress;
  readonly server: ServerProcess;
}

class SupervisedServer implements EmbeddedRedis {
  readonly #options: SupervisedOptions;
  readonly #closing = new AbortController();
  readonly #watched: Promise<void>;
  #server: ServerProcess;

  constructor(options: SupervisedOptions) {
    this.#options = options;
    this.#server = options.server;
    this.#watched = this.#watch();
  }

  get url(): string {
    return urlOf(this.#options.chosen.address);
  }

  get socketPath(): string | null {
    const { address } = this.#options.chosen;
    return address.kind === 'socket' ? address.path : null;
  }

  get port(): number | null {
    const { address } = this.#options.chosen;
    return address.kind === 'port' ? address.port : null;
  }

  get pid(): number {
    return this.#server.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return this.#watched;
    this.#closing.abort();
    await this.#server.stop(STOP_DEADLINE_MS);
    await this.#watched;
    // A restart that was under way when closing began has brought up another one.
    await this.#server.stop(STOP_DEADLINE_MS);
    const { dir, chosen, lock } = this.#options;
    if (chosen.socketDir !== null) removeSocketDir(chosen.socketDir);
    removeRecord(dir);
    lock.release();
  }

  async #watch(): Promise<void> {
    const { log } = this.#options;
    let pauseMs = FIRST_RESTART_MS;
    let startedMs = performance.now();
    for (;;) {
      const how = await this.#server.ended;
      if (this.#isClosing()) return;
      if (performance.now() - startedMs > STABLE_MS) pauseMs = FIRST_RESTART_MS;
      log.error({ pid: this.pid, pauseMs }, `the embedded server has gone (${how}); starting it again`);
      await this.#restart(pauseMs);
      if (this.#isClosing()) return;
      startedMs = performance.now();
      pauseMs = Math.min(LAST_RESTART_MS, pauseMs * 2);
    }
  }

  async #restart(firstPauseMs: number): Promise<void> {
    const { log, chosen } = this.#options;
    let pauseMs = firstPauseMs;
    while (!this.#isClosing()) {
      await sleep(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => {});
      if (this.#isClosing()) return;
      try {
        this.#server = await startAt(this.#options, chosen, this.#closing.signal);
        log.info({ pid: this.pid }, 'the embedded server is back');
        return;
      } catch (error) {
        log.error({ err: error }, 'the embedded server could not be started again; trying on');
        pauseMs = Math.min(LAST_RESTART_MS, pauseMs * 2);
      }
    }
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }
}
