import { PlatformError } from '#functions';
import type { RuntimeErrorCode } from '../errors.ts';
import type { FailedEntry, GuestError } from '../invocation.ts';
import type { ProgressNotes } from '../sandbox/messages.ts';
import type { EntryLedger } from './entry-ledger.ts';
import { guestFailure } from './failures.ts';

export interface NotedFailuresContext {
  readonly ledger: EntryLedger;
  readonly toGuestError: (report: unknown) => GuestError;
}

/** The failed entries of a frame, marked as held; those that the node had given up before are left out. */
export function readNotedFailures(
  noted: NonNullable<ProgressNotes['failed']>,
  context: NotedFailuresContext,
): readonly FailedEntry[] {
  const { ledger, toGuestError } = context;
  const failed: FailedEntry[] = [];
  for (const { index, error } of noted) {
    if (index >= ledger.size) {
      const message = `the sandbox reported a failure of entry ${index}, but the batch has ${ledger.size}`;
      throw new PlatformError<RuntimeErrorCode>('SANDBOX_PROTOCOL', message);
    }
    if (!ledger.hold([index])) continue;
    failed.push({ index, ...guestFailure(toGuestError(error)) });
  }
  return failed;
}
