/// <reference path="../authoring/functions.d.ts" />
/**
 * Answers a command and remembers whom it has greeted.
 *
 *   RG.TRIGGER greet ann      → Hello ann, nice to meet you.
 *   RG.TRIGGER greet ann      → Hello ann, that makes 2 times.
 */
new GearsBuilder('CommandReader', '*', 'greets by name')
  .map(async ([, name = 'stranger']) => {
    const times = await execute<number>('HINCRBY', 'greeted', name, 1);
    return times === 1 ? `Hello ${name}, nice to meet you.` : `Hello ${name}, that makes ${times} times.`;
  })
  .register({ trigger: 'greet', mode: 'async_local' });
