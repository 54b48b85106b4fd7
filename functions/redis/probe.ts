import type { Redis } from 'ioredis';
import { PlatformError } from '../errors.ts';
import type { CommandTable } from './command-table.ts';
import type { ServerFacts } from './redis-access.ts';

const LEAST_MAJOR_VERSION = 7;

/** What INFO and CONFIG of one server say; null where the server does not let us ask. */
export interface ServerReport {
  /** INFO, all sections, as `name:value` lines. */
  readonly info: string | null;
  readonly notifications: string | null;
  readonly save: string | null;
  readonly maxmemory: string | null;
  readonly maxmemoryPolicy: string | null;
}

/** Asks one server. Commands that are not allowed or do not exist (managed services) give null. */
export async function readServer(client: Redis): Promise<ServerReport> {
  const config = async (name: string): Promise<string | null> => {
    const reply = await client.call('CONFIG', 'GET', name).catch(() => null);
    return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : null;
  };
  const [info, notifications, save, maxmemory, maxmemoryPolicy] = await Promise.all([
    client.info().catch(() => null),
    config('notify-keyspace-events'),
    config('save'),
    config('maxmemory'),
    config('maxmemory-policy'),
  ]);
  return { info, notifications, save, maxmemory, maxmemoryPolicy };
}

/** Facts, and what only the decision about suitability needs. */
export interface ProbedServer extends ServerFacts {
  readonly maxmemoryBytes: number | null;
  readonly clusterEnabled: boolean;
}

/** Facts from a report; pure. */
export function factsOf(report: ServerReport, topology: ServerFacts['topology'], commands: CommandTable): ProbedServer {
  const info = (name: string): string | null => {
    const found = new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(report.info ?? '');
    return found?.[1] ?? null;
  };
  const valkeyVersion = info('valkey_version');
  const aof = info('aof_enabled');
  const maxmemory = info('maxmemory') ?? report.maxmemory;
  return {
    product: valkeyVersion ? 'valkey' : 'redis',
    version: valkeyVersion ?? info('redis_version') ?? '',
    topology,
    evictionPolicy: info('maxmemory_policy') ?? report.maxmemoryPolicy,
    aofEnabled: aof === null ? null : aof === '1',
    rdbEnabled: report.save === null ? null : report.save !== '',
    notifications: report.notifications,
    aclDryRun: commands.find('acl', 'dryrun')?.name === 'acl|dryrun',
    maxmemoryBytes: maxmemory === null ? null : Number(maxmemory),
    clusterEnabled: info('cluster_enabled') === '1',
  };
}

/** Throws REDIS_UNSUITABLE with a sentence that says what to set. An unknown version or policy passes. */
export function assertSuitable(facts: ProbedServer, where: string): void {
  const { product, version, evictionPolicy, maxmemoryBytes } = facts;
  const major = Number.parseInt(version, 10);
  if (product === 'redis' && major < LEAST_MAJOR_VERSION) {
    throw new PlatformError(
      'REDIS_UNSUITABLE',
      `the server at ${where} is Redis ${version}: upgrade it to Redis ${LEAST_MAJOR_VERSION} or later, or to Valkey`,
      { details: { version } },
    );
  }
  if (facts.clusterEnabled && facts.topology !== 'cluster') {
    throw new PlatformError(
      'REDIS_UNSUITABLE',
      `the server at ${where} is a node of a cluster: write its address as redis+cluster://host:port,host:port`,
    );
  }
  const evicts = evictionPolicy !== null && evictionPolicy !== 'noeviction' && maxmemoryBytes !== 0;
  if (evicts) {
    throw new PlatformError(
      'REDIS_UNSUITABLE',
      `the server at ${where} may evict keys, and with them functions and work: run CONFIG SET maxmemory-policy noeviction (now: ${evictionPolicy}, maxmemory ${maxmemoryBytes ?? 'unknown'})`,
      { details: { evictionPolicy, maxmemoryBytes } },
    );
  }
}

/** The facts that are public. */
export function publicFacts(probed: ProbedServer): ServerFacts {
  const { maxmemoryBytes: _bytes, clusterEnabled: _cluster, ...facts } = probed;
  return facts;
}
