/** Where a dead letter lies. */
export interface LetterPlace {
  readonly registrationId: string;
  readonly tag: string;
  /** Id in the stream of dead letters. */
  readonly streamId: string;
}

const PATTERN = /^(.+)@([^@]+)@(\d+-\d+)$/s;

/** `<registration>@<tag>@<stream id>`, as it is shown to people. */
export function formatLetterId(place: LetterPlace): string {
  return `${place.registrationId}@${place.tag}@${place.streamId}`;
}

/** Null when the text is no such id. */
export function parseLetterId(text: string): LetterPlace | null {
  const [, registrationId, tag, streamId] = PATTERN.exec(text) ?? [];
  return registrationId && tag && streamId ? { registrationId, tag, streamId } : null;
}
