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
  const target = { functionName, version: 0, artifact, limits: settings.limits, settings: own };
  const manifest = await inspect(target);
  const limits = limitsWithin(settings.limits, manifest.configuration);
  return { target: { ...target, limits, rules: rulesOf(manifest.configuration) }, manifest };
}
