import type { Redis } from 'ioredis';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';

/** Our system as a user starts it, on a Redis of the bench. */
export async function startSubject(redisUrl: string, flags: readonly string[] = []): Promise<PlatformProcess> {
  return await startPlatformProcess({ redisUrl, flags });
}

/** Deploys a function; answers the ids of its registrations, which are the names of their groups. */
export async function deploy(door: Redis, name: string, source: string): Promise<readonly string[]> {
  const [, , , ids] = (await door.call('RG.FUNCTION', 'LOAD', name, source)) as [string, number, string, string[]];
  return ids;
}
