import type { ActiveRegistration, TriggerSpec } from '#functions';

/** How to let it happen: words for `redis-cli`; null where nobody can. */
export function hintFor({ spec }: ActiveRegistration): string | null {
  const words = wordsFor(spec.trigger);
  return words === null ? null : words.map(quoted).join(' ');
}

function wordsFor(trigger: TriggerSpec): readonly string[] | null {
  switch (trigger.kind) {
    case 'stream':
      return ['XADD', sampleOf(trigger.prefix), '*', 'field', 'value'];
    case 'command':
      return ['RG.TRIGGER', trigger.trigger, 'argument'];
    case 'keys':
      return ['SET', sampleOf(trigger.prefix), 'value'];
    case 'hook':
      return [trigger.hook.toUpperCase(), `${trigger.keyprefix ?? ''}key`, 'value'];
    case 'list':
      return ['LPUSH', trigger.lists[0] ?? 'list', 'item'];
    case 'pubsub':
      return ['PUBLISH', trigger.channels[0] ?? sampleOf(trigger.patterns[0] ?? 'channel'), 'message'];
    case 'schedule':
      return null;
  }
}

function sampleOf(pattern: string): string {
  return pattern.replace('*', '1');
}

/** As a shell takes it. */
function quoted(word: string): string {
  return /^[\w.:/@%+,={}-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
