/// <reference path="../authoring/functions.d.ts" />
/**
 * Counts page views per user: each entry of a stream `events:*` has the fields `user` and `page`.
 *
 *   XADD events:web '*' user ann page /home
 *   HGETALL clicks:ann        → /home 1
 */
new GearsBuilder('StreamReader', '*', 'page views per user')
  .filter((r) => Boolean(r.value.user && r.value.page))
  .foreach(async (r) => {
    await execute('HINCRBY', `clicks:${r.value.user}`, r.value.page ?? '', 1);
  })
  .register({ prefix: 'events:*', mode: 'async_local', batch: 100 });
