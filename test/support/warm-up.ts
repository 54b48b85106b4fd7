/**
 * Run before `npm test`: starts a node once and ends it gracefully. What V8 has compiled is only kept by a process that comes to its own
 * end, and most nodes of the tests are killed: without this each of them would compile the whole platform, a second of processor time.
 */
import { startPlatformProcess } from './platform.ts';

await using node = await startPlatformProcess();
await node.stop();
