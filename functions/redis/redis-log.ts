/** What this folder needs of a logger; a pino logger fits. */
export interface RedisLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

export const SILENT_LOG: RedisLog = { info: () => {}, warn: () => {} };
