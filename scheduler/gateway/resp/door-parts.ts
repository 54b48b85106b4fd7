import type { Logger } from 'pino';
import type { DoorSettings } from '../../settings.ts';
import type { CommandIntercept } from '../../triggers/interception.ts';
import type { OwnCommands } from './own-commands.ts';
import type { Passage, PassageHost } from './passage.ts';
import type { Permissions } from './permissions.ts';
import type { RequestLimits } from './request-framer.ts';

/** What all connections of a door share. */
export interface DoorParts {
  readonly settings: DoorSettings;
  /** Where Redis asks for a password, strangers are held short until they have given it. */
  readonly limits: { readonly authenticated: RequestLimits; readonly stranger: RequestLimits };
  readonly permissions: Permissions;
  readonly own: OwnCommands;
  readonly intercept: CommandIntercept;
  readonly ring: (key: string) => void;
  readonly log: Logger;
  openPassage(host: PassageHost): Passage;
}
