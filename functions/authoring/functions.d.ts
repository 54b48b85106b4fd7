/// <reference path="./records.d.ts" />
/// <reference path="./register.d.ts" />
/// <reference path="./readers.d.ts" />
/// <reference path="./builder.d.ts" />
/// <reference path="./redis.d.ts" />
/// <reference path="./waiting.d.ts" />
/// <reference path="./settings.d.ts" />
/// <reference path="./surroundings.d.ts" />

/**
 * Names a function has at hand inside ReGears. Nothing is imported: they are there when the script is evaluated.
 *
 * In an editor, write `/// <reference types="regears/functions" />` at the top of the file, or name `regears/functions`
 * under `types` in tsconfig.json.
 *
 * @example
 * new GearsBuilder('StreamReader')
 *   .filter((r) => r.value.action === 'click')
 *   .foreach(async (r) => { await execute('HINCRBY', `clicks:{${r.value.user}}`, r.value.page, 1); })
 *   .register({ prefix: 'events:*', mode: 'async_local', batch: 100 });
 */
export {};
