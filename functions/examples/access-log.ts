/// <reference path="../authoring/functions.d.ts" />
/**
 * Counters over a web server's access log: each entry of a stream `logs:*` has one line of Apache's combined format in the
 * field `line`.
 *
 *   regears feed --stream logs:web access.log
 *   HGETALL log:status        like awk '{print $9}' access.log | sort | uniq -c
 *   HGETALL log:path          like awk '{print $7}'
 *   HGETALL log:client        like awk '{print $1}'
 *   GET log:unparsed          lines of another format
 */

// client, identity, user, [time], "request", status, bytes; what follows does not matter here.
const COMBINED = /^\s*(\S+) (\S+) (\S+) \[([^\]]*)\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-)(?:\s|$)/;

interface Hit {
  client: string;
  path: string;
  status: string;
}

function parse(line: string): Hit | null {
  const match = COMBINED.exec(line);
  if (match === null) return null;
  const [, client = '', , , , request = '', status = ''] = match;
  const [, path] = request.trim().split(/\s+/);
  return path ? { client, path, status } : null;
}

new GearsBuilder('StreamReader', '*', 'counters per status, path and client')
  .foreach(async (r) => {
    const hit = parse(r.value.line ?? '');
    if (hit === null) {
      await execute('INCR', 'log:unparsed');
      return;
    }
    await Promise.all([
      execute('HINCRBY', 'log:status', hit.status, 1),
      execute('HINCRBY', 'log:path', hit.path, 1),
      execute('HINCRBY', 'log:client', hit.client, 1),
    ]);
  })
  .register({ prefix: 'logs:*', mode: 'async_local', batch: 100 });
