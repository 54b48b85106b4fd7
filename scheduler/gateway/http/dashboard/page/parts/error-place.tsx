import type { JSX } from 'preact';
import { url } from '../api/client.ts';
import type { Source } from '../api/types.ts';
import { placeHref } from '../state/router.ts';
import { useFetched } from '../state/use-list.ts';
import { type Frame, framesOf } from '../text/stack-frames.ts';
import { Code } from './code.tsx';

export interface ErrorPlaceProps {
  readonly functionName: string;
  /** Null where it is not known; then no source is shown. */
  readonly version: number | null;
  readonly stack: string;
}

const AROUND = 3;

/** An error as it was thrown, and the line of the user's source that it names. */
export function ErrorPlace({ functionName, version, stack }: ErrorPlaceProps): JSX.Element {
  const frames = framesOf(stack);
  const isKnown = version !== null && frames.length > 0;
  const path = isKnown ? url`/v1/functions/${functionName}/versions/${version ?? 0}/source` : null;
  const { data } = useFetched<Source>(path);
  const found = data === null ? null : placeIn(data, frames);
  return (
    <>
      <pre class="block error-text">{stack}</pre>
      {found === null || version === null ? null : (
        <>
          <p>
            <a
              href={placeHref(['functions', functionName, 'source'], {
                version,
                file: found.path,
                line: found.frame.line,
              })}
            >
              {found.path}, line {found.frame.line}
            </a>{' '}
            <span class="soft">of version {version}</span>
          </p>
          <Code
            label={`Line ${found.frame.line} of ${found.path}`}
            source={found.source}
            line={found.frame.line}
            around={AROUND}
          />
        </>
      )}
    </>
  );
}

interface Found {
  readonly path: string;
  readonly source: string;
  readonly frame: Frame;
}

/** The innermost place that lies in a file of the user. A single file is meant by whatever name the stack has for it. */
function placeIn({ files }: Source, frames: readonly Frame[]): Found | null {
  for (const frame of frames) {
    const name = frame.file.split('/').at(-1);
    const file = files.length === 1 ? files[0] : files.find(({ path }) => path.split('/').at(-1) === name);
    if (file !== undefined && frame.line <= file.source.split('\n').length) {
      return { path: file.path, source: file.source, frame };
    }
  }
  return null;
}
