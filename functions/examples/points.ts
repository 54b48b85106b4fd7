/// <reference path="../authoring/functions.d.ts" />
/**
 * Adds up points per player: each entry of a stream `games:*` has the fields `user` and `points`. Safe to run again: what was
 * counted is noted in the same transaction, for a day.
 *
 *   XADD games:chess '*' user ann points 5
 *   GET points:{ann}          → 5
 */
new GearsBuilder('StreamReader', '*', 'points per player')
  .foreach(async (r) => {
    const { user = '', points = '' } = r.value;
    const counted = `counted:{${user}}:${r.key}:${r.id}`;
    await atomic(async (tx) => {
      if (await tx.execute('EXISTS', counted)) return;
      tx.execute('SET', counted, 1, 'EX', 86_400);
      tx.execute('INCRBY', `points:{${user}}`, points);
    });
  })
  .register({ prefix: 'games:*', mode: 'async_local', onFailedPolicy: 'retry' });
