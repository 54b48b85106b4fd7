import type { JSX } from 'preact';
import type { LogLevel, LogLine } from '../api/types.ts';
import { placeHref } from '../state/router.ts';
import { clockTime, moment } from '../text/format.ts';

/** Lines that functions wrote, oldest first. */
export function LogLines({ lines }: { readonly lines: readonly LogLine[] }): JSX.Element {
  return (
    <ol class="log">
      {lines.map(({ id, atMs, functionName, version, level, message }) => (
        <li key={id} class={`log-${level}`}>
          <time dateTime={new Date(atMs).toISOString()} title={moment(atMs)}>
            {clockTime(atMs)}
          </time>
          <Level level={level} />
          {functionName === null ? (
            <span />
          ) : (
            <a href={placeHref(['functions', functionName])}>
              {functionName}
              {version === null ? '' : `@${version}`}
            </a>
          )}
          <span class="log-message">{message}</span>
        </li>
      ))}
    </ol>
  );
}

export function Level({ level }: { readonly level: LogLevel }): JSX.Element {
  return <span class={`level level-${level}`}>{level}</span>;
}
