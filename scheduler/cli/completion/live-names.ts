import { doorUrl } from '../../config.ts';
import { connectDoor, type DoorClient, fieldsOf, type Reply, recordsOf } from '../client.ts';
import type { Completes } from '../command.ts';
import type { Proposal, Typed } from './complete.ts';

/** A person waits at the prompt. */
const PATIENCE_MS = 700;

/** Names that the door knows now; none where it cannot be asked at once. */
export async function liveNames(kind: Completes, typed: Typed): Promise<readonly Proposal[]> {
  try {
    await using door = await connectDoor(typed.url ?? doorUrl(), '--url', PATIENCE_MS);
    return await askFor(door, kind, typed);
  } catch {
    return []; // completion has nothing to say about it; the command will
  }
}

async function askFor(door: DoorClient, kind: Completes, { args }: Typed): Promise<readonly Proposal[]> {
  const records = async (...command: readonly [string, ...string[]]): Promise<readonly Record<string, Reply>[]> =>
    recordsOf(await door.call(...command));
  switch (kind) {
    case 'function':
      return (await records('RG.FUNCTION', 'LIST')).map((each) => proposal(each.name, each.description));
    case 'version':
      return (await records('RG.FUNCTION', 'VERSIONS', args[0] ?? '')).map((each) =>
        proposal(each.version, each.active === 1 ? 'active' : each.description),
      );
    case 'registration':
      return (await records('RG.DUMPREGISTRATIONS')).map((each) => proposal(each.id, each.state));
    case 'trigger':
      return (await records('RG.DUMPREGISTRATIONS'))
        .filter(({ reader }) => reader === 'CommandReader')
        .map((each) => proposal(argumentsOf(each).trigger, each.function));
    case 'stream':
      return unique((await records('RG.STREAMS')).map((each) => proposal(each.stream, each.registration)));
    case 'execution':
      return (await records('RG.DUMPEXECUTIONS')).map((each) => proposal(each.executionId, each.status));
    case 'token':
      return (await records('RG.TOKEN', 'LIST')).map((each) => proposal(each.id, each.name));
    case 'letter':
      return (await records('RG.DEADLETTERS', 'LIST', 'COUNT', '100')).map((each) =>
        proposal(each.id, each.errorMessage),
      );
    default:
      return [];
  }
}

function proposal(value: Reply | undefined, description: Reply | undefined): Proposal {
  return { value: String(value ?? ''), description: String(description ?? '') };
}

function argumentsOf(registration: Record<string, Reply>): Record<string, Reply> {
  return fieldsOf(fieldsOf(registration.RegistrationData ?? null).args ?? null);
}

function unique(proposals: readonly Proposal[]): readonly Proposal[] {
  return [...new Map(proposals.map((each) => [each.value, each])).values()];
}
