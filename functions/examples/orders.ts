/// <reference path="../authoring/functions.d.ts" />
/**
 * Takes orders from streams `orders:*` (fields `item`, `count`) out of the stock, whole or not at all. Order by order per
 * stream; an order that fails for a passing reason is tried again, one without sense goes to the dead letters.
 *
 *   SET stock:{tea} 3
 *   XADD orders:shop '*' item tea count 2      → stock:{tea} 1, sold:{tea} 2
 *   XADD orders:shop '*' item tea count 2      → refused:{tea} holds the order
 *   RG.TRIGGER restock tea 10                  → 11
 */
function key(kind: string, item: string): string {
  return `${kind}:{${item}}`;
}

new GearsBuilder('StreamReader', '*', 'orders against the stock')
  .foreach(async (r) => {
    const { item = '', count = '' } = r.value;
    const wanted = Number(count);
    if (item === '' || !Number.isInteger(wanted) || wanted < 1) throw new Error(`order ${r.id} makes no sense`);
    await atomic(async (tx) => {
      const left = Number(await tx.execute('GET', key('stock', item)));
      if (left >= wanted) {
        tx.execute('DECRBY', key('stock', item), wanted);
        tx.execute('INCRBY', key('sold', item), wanted);
      } else {
        tx.execute('RPUSH', key('refused', item), `${r.id} ${wanted}`);
      }
    });
  })
  .register({ prefix: 'orders:*', mode: 'sync', onFailedPolicy: 'retry', onFailedRetryInterval: 1, maxAttempts: 3 });

new GearsBuilder('CommandReader', '*', 'adds to the stock')
  .map(async ([, item = '', count = '0']) => {
    const [left] = await atomic(() => {
      execute('INCRBY', key('stock', item), count);
      execute('HSET', key('restocked', item), 'last', count);
    });
    return left;
  })
  .register({ trigger: 'restock', mode: 'async_local', convertToStr: false });
