import {
  compileArtifact,
  hashSource,
  type LoadableVersion,
  limitsWithin,
  type Manifest,
  rulesOf,
  type SourceLanguage,
} from '#functions';
import type { OperationDependencies } from './dependencies.ts';

/** A script that was evaluated and has changed nothing. */
export interface InspectedScript {
  /** What runs of it run. */
  readonly target: LoadableVersion;
  readonly manifest: Manifest;
}

export interface ScriptToInspect {
  /** Name that the caller gave; null = one is made of the source. */
  readonly id: string | null;
  readonly source: string;
  /** Default js. */
  readonly language?: SourceLanguage;
}

/** Errors: those of a source that does not load. */
export async function inspectScript(
  { inspect, settings, options }: Pick<OperationDependencies, 'inspect' | 'settings' | 'options'>,
  { id, source, language = 'js' }: ScriptToInspect,
): Promise<InspectedScript> {
  const functionName = id ?? `script-${hashSource(source, language).slice(0, 8)}`;
  const { artifactBytes: maxBytes } = settings.caps;
  const fileName = `${functionName}.${language}`;
  const artifact = await compileArtifact({ source, language, sourceMap: null, fileName, maxBytes });
  const own = { ...options.forFunctions };
  const version = versionOf(own);
  const target = { functionName, version, artifact, limits: settings.limits, settings: own };
  const manifest = await inspect({ ...target, version: 0 });
  const limits = limitsWithin(settings.limits, manifest.configuration);
  return { target: { ...target, limits, rules: rulesOf(manifest.configuration) }, manifest };
}

/** Isolates are kept by name, version and content: other options make another version. */
function versionOf(options: Readonly<Record<string, string>>): number {
  const text = JSON.stringify(Object.entries(options).sort());
  return text === '[]' ? 0 : Number.parseInt(hashSource(text, 'js').slice(0, 7), 16);
}
