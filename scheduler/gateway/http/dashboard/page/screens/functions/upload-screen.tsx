import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { url } from '../../api/client.ts';
import type { Loaded } from '../../api/types.ts';
import { ActionButton } from '../../parts/basics.tsx';
import { CheckField, TextField } from '../../parts/fields.tsx';
import { Screen } from '../../parts/screen.tsx';
import { useApp } from '../../state/app.ts';
import { placeHref } from '../../state/router.ts';
import { plural } from '../../text/format.ts';
import type { ScreenAddress } from '../current-screen.tsx';

interface Upload {
  readonly name: Signal<string>;
  readonly source: Signal<string>;
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
    isTypeScript: useSignal(true),
    description: useSignal(''),
    isActivated: useSignal(true),
    mustBeNew: useSignal(false),
  };
  const ask = useUpload(upload);
  const { name, source, isTypeScript, description, isActivated, mustBeNew } = upload;
  return (
    <Screen title="Upload a function" parent={{ href: '#/functions', name: 'Functions' }}>
      <div class="card form">
        <label class="field">
          <span>File (.ts or .js)</span>
          <input
            class="input"
            type="file"
            accept=".ts,.js,.mts,.mjs"
            onChange={(event) => void takeFile(event.currentTarget.files?.[0], upload)}
          />
        </label>
        <TextField label="Name" value={name} placeholder="orders" />
        <TextField label="Source" value={source} rows={16} placeholder={SAMPLE} />
        <TextField label="Description" value={description} />
        <div class="toolbar">
          <CheckField label="TypeScript" value={isTypeScript} />
          <CheckField label="Activate at once" value={isActivated} />
          <CheckField label="Must be new" value={mustBeNew} />
        </div>
        <div class="tools">
          <ActionButton
            needs="admin"
            tone="main"
            onClick={ask}
            isOff={name.value.trim() === '' || source.value.trim() === ''}
          >
            Upload
          </ActionButton>
        </div>
      </div>
    </Screen>
  );
}

const SAMPLE = `new GearsBuilder('StreamReader')
  .foreach(async (r) => { await execute('INCR', 'seen'); })
  .register({ prefix: 'events:*' });`;

async function takeFile(file: File | undefined, { name, source, isTypeScript }: Upload): Promise<void> {
  if (file === undefined) return;
  source.value = await file.text();
  isTypeScript.value = /\.m?ts$/.test(file.name);
  if (name.value === '') name.value = file.name.replace(/\.\w+$/, '');
}

function useUpload({ name, source, isTypeScript, description, isActivated, mustBeNew }: Upload): () => void {
  const { api, dialogs, router } = useApp();
  return () => {
    const functionName = name.value.trim();
    dialogs.ask({
      title: `Upload ${functionName}?`,
      body: (
        <p>
          {plural(source.value.split('\n').length, 'line')}{' '}
          {isActivated.value ? 'go in force at once, on every node.' : 'are kept as a version that is not active.'}
        </p>
      ),
      action: 'Upload',
      run: async () => {
        const loaded = await api.send<Loaded>({
          method: 'PUT',
          path: url`/v1/functions/${functionName}`,
          query: {
            description: description.value,
            activate: isActivated.value,
            mustBeNew: mustBeNew.value || undefined,
          },
          text: { type: isTypeScript.value ? 'text/typescript' : 'text/javascript', content: source.value },
        });
        router.go(placeHref(['functions', functionName]));
        if (!loaded.created) return `Version ${loaded.version} of ${functionName} has this very source already.`;
        return `Version ${loaded.version} of ${functionName} is loaded with ${plural(loaded.registrationIds.length, 'registration')}.`;
      },
    });
  };
}
