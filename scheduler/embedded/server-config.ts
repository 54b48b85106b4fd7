import type { ServerAddress } from './ask-server.ts';

/** Text of the configuration file: its path is how an orphan is recognised, so the process keeps its command line. */
export function serverConfig(dir: string, address: ServerAddress): string {
  const listen =
    address.kind === 'socket'
      ? ['port 0', `unixsocket ${quoted(address.path)}`, 'unixsocketperm 700']
      : [`port ${address.port}`, `requirepass ${quoted(address.password)}`];
  const lines = [
    '# Written at every start; changes are lost.',
    'bind 127.0.0.1',
    ...listen,
    `dir ${quoted(dir)}`,
    'daemonize no',
    'set-proc-title no',
    'logfile ""',
    'save ""',
    'appendonly yes',
    'appendfsync everysec',
    'maxmemory-policy noeviction',
    // Keyspace and keyevent news of all kinds: xadd tells the stream readers where there is something new.
    'notify-keyspace-events KEA',
  ];
  return `${lines.join('\n')}\n`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
