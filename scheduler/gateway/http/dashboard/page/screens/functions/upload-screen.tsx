import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { type Sending, url } from '../../api/client.ts';
import type { Loaded, SourceFile } from '../../api/types.ts';
import { ActionButton } from '../../parts/basics.tsx';
import { CheckField, ChoiceField, TextField } from '../../parts/fields.tsx';
import { Screen } from '../../parts/screen.tsx';
import { useApp } from '../../state/app.ts';
import { placeHref } from '../../state/router.ts';
import { plural } from '../../text/format.ts';
import type { ScreenAddress } from '../current-screen.tsx';

interface Upload {
  readonly name: Signal<string>;
  readonly source: Signal<string>;
  /** Several files that import one another; empty when the source is one text. */
  readonly files: Signal<readonly SourceFile[]>;
  /** Which of the files the function begins in. */
  readonly entry: Signal<string>;
  readonly isTypeScript: Signal<boolean>;
  readonly description: Signal<string>;
  readonly isActivated: Signal<boolean>;
  readonly mustBeNew: Signal<boolean>;
}

/** Loads a function, or a new version of one, from a file or from text. */
export function UploadScreen({ query }: ScreenAddress): JSX.Element {
  const upload: Upload = {
    name: useSignal(query.name ?? ''),
    source: useSignal(''),
    files: useSignal<readonly SourceFile[]>([]),
    entry: useSignal(''),
    isTypeScript: useSignal(true),
    description: useSignal(''),
    isActivated: useSignal(true),
    mustBeNew: useSignal(false),
  };
  const ask = useUpload(upload);
  const { name, source, files, description, isActivated, mustBeNew } = upload;
  const isEmpty = source.value.trim() === '' && files.value.length === 0;
  return (
    <Screen title="Upload a function" parent={{ href: '#/functions', name: 'Functions' }}>
      <div class="card form">
        <label class="field">
          <span>
            Files <span class="soft">(.ts or .js; several may import one another)</span>
          </span>
          <input
            class="input"
            type="file"
            multiple
            accept=".ts,.js,.mts,.mjs"
            onChange={(event) => void takeFiles([...(event.currentTarget.files ?? [])], upload)}
          />
        </label>
        <TextField label="Name" value={name} placeholder="orders" />
        <SourceFields upload={upload} />
        <TextField label="Description" value={description} />
        <div class="toolbar">
          <CheckField label="Activate at once" value={isActivated} />
          <CheckField label="Must be new" value={mustBeNew} />
        </div>
        <div class="tools">
          <ActionButton needs="admin" tone="main" onClick={ask} isOff={name.value.trim() === '' || isEmpty}>
            Upload
          </ActionButton>
        </div>
      </div>
    </Screen>
  );
}

/** One text, or the choice of the file that several begin in. */
function SourceFields({ upload }: { readonly upload: Upload }): JSX.Element {
  const { source, files, entry, isTypeScript } = upload;
  if (files.value.length === 0) {
    return (
      <>
        <TextField label="Source" value={source} rows={16} placeholder={SAMPLE} />
        <CheckField label="TypeScript" value={isTypeScript} />
      </>
    );
  }
  return (
    <ChoiceField
      label={`Begins in (${plural(files.value.length, 'file')} are bundled by the node)`}
      value={entry.value}
      choices={files.value.map(({ path }) => [path, path] as const)}
      onChoose={(path) => {
        entry.value = path;
      }}
    />
  );
}

const SAMPLE = `new GearsBuilder('StreamReader')
  .foreach(async (r) => { await execute('INCR', 'seen'); })
  .register({ prefix: 'events:*' });`;

async function takeFiles(chosen: readonly File[], { name, source, files, entry, isTypeScript }: Upload): Promise<void> {
  const read = await Promise.all(chosen.map(async (file) => ({ path: file.name, source: await file.text() })));
  const [first] = read;
  if (first === undefined) return;
  files.value = read.length === 1 ? [] : read;
  entry.value = read.find((file) => /\.register\(|\brun\(/.test(file.source))?.path ?? first.path;
  if (read.length === 1) source.value = first.source;
  isTypeScript.value = /\.m?ts$/.test(first.path);
  if (name.value === '') name.value = entry.value.replace(/\.\w+$/, '');
}

/** What is sent: one source as it is, several files as JSON. */
function sendingOf({ name, source, files, entry, isTypeScript, ...upload }: Upload): Sending {
  const sending = { method: 'PUT', path: url`/v1/functions/${name.value.trim()}` } as const;
  const activate = upload.isActivated.value;
  const mustBeNew = upload.mustBeNew.value;
  const description = upload.description.value;
  if (files.value.length > 0) {
    const all = Object.fromEntries(files.value.map((file) => [file.path, file.source]));
    const said = description === '' ? {} : { description };
    return { ...sending, body: { files: all, entry: entry.value, activate, mustBeNew, ...said } };
  }
  const type = isTypeScript.value ? 'text/typescript' : 'text/javascript';
  return { ...sending, query: { description, activate, mustBeNew }, text: { type, content: source.value } };
}

function useUpload(upload: Upload): () => void {
  const { api, dialogs, router } = useApp();
  const { name, source, files, isActivated } = upload;
  return () => {
    const functionName = name.value.trim();
    const lines = plural(source.value.split('\n').length, 'line');
    dialogs.ask({
      title: `Upload ${functionName}?`,
      body: (
        <p>
          {files.value.length === 0 ? lines : plural(files.value.length, 'file')}{' '}
          {isActivated.value ? 'go in force at once, on every node.' : 'are kept as a version that is not active.'}
        </p>
      ),
      action: 'Upload',
      run: async () => {
        const loaded = await api.send<Loaded>(sendingOf(upload));
        router.go(placeHref(['functions', functionName]));
        if (!loaded.created) return `Version ${loaded.version} of ${functionName} has this very source already.`;
        return `Version ${loaded.version} of ${functionName} is loaded with ${plural(loaded.registrationIds.length, 'registration')}.`;
      },
    });
  };
}
