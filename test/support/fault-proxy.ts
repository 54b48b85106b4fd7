import { createServer, connect as netConnect, type Socket } from 'node:net';

export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** `redis://127.0.0.1:<port>`. */
  readonly url: string;
  /** Connections that are open now, and all there ever were. */
  readonly open: number;
  readonly accepted: number;
  /** Cuts every open connection. */
  drop(): void;
  /** Cuts every open connection on the client's side; the server does not hear of it before the end of this proxy. */
  orphan(): void;
  /** Cuts new connections at once; open ones stay. */
  refuse(): void;
  /** Holds back what comes from the server for so many milliseconds; 0 ends it. */
  delay(ms: number): void;
  /** Half-open: connections stay (and new ones are taken), nothing is passed in either direction any more. */
  silence(): void;
  /** Passes on so many more bytes of the server's replies, counted over all connections, then cuts that connection. */
  cutAfter(replyBytes: number): void;
  /** Ends refuse, delay and silence; what was held back in a silence is lost with its connections, which are cut. */
  heal(): void;
}

interface Faults {
  refusing: boolean;
  silent: boolean;
  delayMs: number;
  bytesLeft: number;
  accepted: number;
}

/** A TCP proxy on a free loopback port before `target`, passing bytes on until it is told to do harm. */
export async function startFaultProxy(target: { readonly port: number }): Promise<FaultProxy> {
  const faults: Faults = {
    refusing: false,
    silent: false,
    delayMs: 0,
    bytesLeft: Number.POSITIVE_INFINITY,
    accepted: 0,
  };
  const pairs = new Set<Pair>();
  const server = createServer((client) => {
    if (faults.refusing) {
      client.destroy();
      return;
    }
    faults.accepted++;
    const upstream = netConnect({ host: '127.0.0.1', port: target.port, noDelay: true });
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
      pairs.delete(pair);
    };
    const pair: Pair = { client, upstream, cut, faults, orphaned: false };
    pairs.add(pair);
    client.setNoDelay(true);
    wire(pair);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const drop = (): void => {
    for (const { cut } of [...pairs]) cut();
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get open() {
      return pairs.size;
    },
    get accepted() {
      return faults.accepted;
    },
    drop,
    orphan: () => {
      for (const pair of pairs) {
        pair.orphaned = true;
        pair.client.destroy();
      }
    },
    refuse: () => {
      faults.refusing = true;
    },
    delay: (ms) => {
      faults.delayMs = ms;
    },
    silence: () => {
      faults.silent = true;
    },
    cutAfter: (replyBytes) => {
      faults.bytesLeft = replyBytes;
    },
    heal: () => {
      if (faults.silent) drop();
      Object.assign(faults, { refusing: false, silent: false, delayMs: 0, bytesLeft: Number.POSITIVE_INFINITY });
    },
    async [Symbol.asyncDispose]() {
      drop();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly cut: () => void;
  readonly faults: Faults;
  /** The client's side is gone, the server's stays. */
  orphaned: boolean;
}

function wire(pair: Pair): void {
  const { client, upstream, cut, faults } = pair;
  client.on('data', (chunk) => {
    if (!faults.silent) upstream.write(chunk);
  });
  upstream.on('data', (chunk) => {
    if (faults.silent || pair.orphaned) return;
    if (chunk.length >= faults.bytesLeft) {
      const rest = chunk.subarray(0, faults.bytesLeft);
      faults.bytesLeft = Number.POSITIVE_INFINITY;
      upstream.destroy();
      client.end(rest, cut);
      return;
    }
    faults.bytesLeft -= chunk.length;
    if (faults.delayMs === 0) client.write(chunk);
    else setTimeout(() => client.write(chunk), faults.delayMs);
  });
  for (const socket of [client, upstream]) {
    socket.on('error', cut);
    socket.on('close', () => {
      if (pair.orphaned && socket === client) return;
      if (socket === client || !client.writableEnded) cut();
    });
  }
}
