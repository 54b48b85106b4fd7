import type { GuestApi, RunFlags } from './api.ts';
import { describeError, errorJson } from './describe.ts';
import type { Engine } from './engine.ts';
import { parseJson } from './primordials.ts';
import type { Runs } from './runs.ts';
import type { StageOpening, StageSource } from './stage.ts';
import type { StageRunner } from './stage-runner.ts';
import { valueOfBytes } from './text.ts';

const SOURCES: readonly StageSource[] = ['feed', 'pull', 'drain'];
const ASCII: RunFlags['ascii'] = 8;

export interface StageApiParts {
  readonly runs: Runs;
  readonly stages: StageRunner;
  readonly engine: Engine;
}

/** What the sandbox process calls for stages of batch runs. */
export function stageApi({ runs, stages, engine }: StageApiParts): Pick<GuestApi, 'openStage' | 'closeStage' | 'feed'> {
  return {
    openStage(opening) {
      try {
        const wanted = parseJson(opening) as StageOpening;
        stages.open(runs.at(wanted.runIndex), wanted);
        return '';
      } catch (error) {
        return errorJson(describeError(error));
      }
    },
    closeStage: (stage) => stages.close(stage),
    feed(...args) {
      const stage = stages.stageOf(args[1]);
      return engine.run({
        id: args[0],
        plan: stage.plan,
        stage,
        source: SOURCES[args[3]] ?? 'feed',
        adapt: null,
        isStream: false,
        isKeys: false,
        isHook: false,
        ordered: false,
        stopAtFailure: false,
        wantResults: true,
        ascii: (args[2] & ASCII) !== 0,
        executionSize: 1,
        entryCount: args[4],
        key: valueOfBytes(args[5]),
        hashtag: args[6],
        payload: args[7],
      });
    },
  };
}
