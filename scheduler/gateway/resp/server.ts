import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import type { RedisAccess } from '#functions';
import type { DoorSettings } from '../../settings.ts';
import type { CommandCalls } from '../../triggers/command-calls.ts';
import type { CommandIntercept } from '../../triggers/interception.ts';
import type { OperationTable } from '../operations/operation-table.ts';
import { ClientConnection } from './client-connection.ts';
import { ClusterPassage } from './cluster-passage.ts';
import type { DoorParts } from './door-parts.ts';
import { checkListenAddress, wantsAuthentication } from './listen-address.ts';
import { createOwnCommands } from './own-commands.ts';
import type { Passage, PassageHost } from './passage.ts';
import { createPermissions } from './permissions.ts';
import { createShardChoice } from './shard-choice.ts';
import { SinglePassage } from './single-passage.ts';

export interface RespServerOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly access: RedisAccess;
  readonly operations: OperationTable;
  readonly calls: CommandCalls;
  /** Default: every command for Redis passes. */
  readonly intercept?: CommandIntercept;
  /** Called with a stream's key (latin1) after an XADD through this door has been done. */
  readonly ring: (key: string) => void;
  readonly door: DoorSettings;
  readonly log: Logger;
}

export interface RespServer extends AsyncDisposable {
  readonly port: number;
  connections(): number;
  /** Takes no new clients, lets requests in work answer, then closes; what is left after `deadlineMs` is cut off. */
  drain(deadlineMs: number): Promise<void>;
}

const TOO_MANY = '-ERR max number of clients reached\r\n';
const BACKLOG = 4_096;
const PASS_ALL: CommandIntercept = { names: new Set(), find: () => null };

/**
 * The RESP door. Listens when this resolves. Errors: CONFIG_INVALID for an address that others can reach while Redis asks no
 * password, REDIS_UNREACHABLE, and the system's own for a port that is taken.
 */
export async function createRespServer(options: RespServerOptions): Promise<RespServer> {
  const { host, access, door, log } = options;
  const asksPassword = await wantsAuthentication(access);
  checkListenAddress(host, asksPassword);
  const authenticated = { maxBulkBytes: door.maxBulkBytes, maxArguments: door.maxArguments, unauthenticated: false };
  const parts: DoorParts = {
    settings: door,
    limits: { authenticated, stranger: { ...authenticated, unauthenticated: asksPassword } },
    permissions: createPermissions({ access, door, log }),
    own: createOwnCommands(options),
    intercept: options.intercept ?? PASS_ALL,
    ring: options.ring,
    log,
    openPassage: passageFactory(access),
  };
  const clients = new Set<ClientConnection>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (clients.size >= door.maxConnections) return refuse(socket);
    const client = new ClientConnection(socket, parts);
    clients.add(client);
    socket.once('close', () => clients.delete(client));
  });
  server.listen({ host, port: options.port, backlog: BACKLOG });
  await once(server, 'listening');
  // Without a listener, an error of accept (no file descriptors left) would end the process.
  server.on('error', (error) => log.error({ err: error }, 'the RESP door cannot take a client'));
  const { port } = server.address() as AddressInfo;
  const drain = (deadlineMs: number): Promise<void> => drainServer(server, clients, deadlineMs);
  return { port, connections: () => clients.size, drain, [Symbol.asyncDispose]: () => drain(0) };
}

function passageFactory(access: RedisAccess): (host: PassageHost) => Passage {
  if (access.facts.topology === 'cluster') {
    const choice = createShardChoice(access);
    return (host) => new ClusterPassage({ host, choice, endpointOf: (shard) => access.endpointOf(shard) });
  }
  // Asked anew for each connection: behind Sentinel the primary changes.
  return (host) => new SinglePassage(host, () => access.endpointOf(access.shards()[0] as never));
}

function refuse(socket: Socket): void {
  socket.on('error', () => {});
  socket.end(TOO_MANY, () => socket.destroy());
}

async function drainServer(server: Server, clients: ReadonlySet<ClientConnection>, deadlineMs: number): Promise<void> {
  const closed = server.listening ? once(server, 'close') : Promise.resolve();
  server.close();
  for (const client of clients) client.finish();
  const cutOff = setTimeout(() => {
    for (const client of clients) client.destroy();
  }, deadlineMs);
  await closed;
  clearTimeout(cutOff);
}
