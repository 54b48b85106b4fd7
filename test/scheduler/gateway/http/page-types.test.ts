import type { Static } from 'typebox';
import { expectTypeOf, test } from 'vitest';
import type * as Platform from '../../../../scheduler/gateway/http/dashboard/page/api/platform-types.ts';
import type * as Page from '../../../../scheduler/gateway/http/dashboard/page/api/types.ts';
import type { DeadLetterShape } from '../../../../scheduler/gateway/http/routes/dead-letters.ts';
import type { ExecutionShape, ResultsShape } from '../../../../scheduler/gateway/http/routes/executions.ts';
import type { NodeShape } from '../../../../scheduler/gateway/http/routes/nodes.ts';
import type { RegistrationShape } from '../../../../scheduler/gateway/http/routes/registrations.ts';
import type { StreamShape } from '../../../../scheduler/gateway/http/routes/streams.ts';
import type {
  DiffShape,
  FunctionShape,
  LoadedShape,
  SourceShape,
  VersionShape,
} from '../../../../scheduler/gateway/http/schemas/functions.ts';
import type { LogLineShape } from '../../../../scheduler/gateway/http/schemas/log-line.ts';
import type { SampleShape } from '../../../../scheduler/gateway/http/schemas/sample.ts';
import type { FileDiff } from '../../../../scheduler/gateway/operations/diff-files.ts';

// The page is a client of the API and shares no code with it, so its types stand apart; `npm run types` compares them.
test('what the page takes from a route is what the schema of the route gives', () => {
  expectTypeOf<Static<typeof FunctionShape>>().toExtend<Page.FunctionInfo>();
  expectTypeOf<Static<typeof VersionShape>>().toExtend<Page.Version>();
  expectTypeOf<Static<typeof LoadedShape>>().toExtend<Page.Loaded>();
  expectTypeOf<Static<typeof SourceShape>>().toExtend<Page.Source>();
  expectTypeOf<Static<typeof DiffShape>>().toExtend<Page.Diff>();
  expectTypeOf<FileDiff>().toExtend<Page.DiffFile>();
  expectTypeOf<Page.DiffFile>().toExtend<FileDiff>();
  expectTypeOf<Static<typeof RegistrationShape>>().toExtend<Page.Registration>();
  expectTypeOf<Static<typeof StreamShape>>().toExtend<Page.StreamInfo>();
  expectTypeOf<Static<typeof ExecutionShape>>().toExtend<Page.Execution>();
  expectTypeOf<Static<typeof ResultsShape>>().toExtend<Page.ExecutionResults>();
  expectTypeOf<Static<typeof DeadLetterShape>>().toExtend<Page.DeadLetter>();
  expectTypeOf<Static<typeof LogLineShape>>().toExtend<Page.LogLine>();
  expectTypeOf<Static<typeof SampleShape>>().toExtend<Platform.Sample>();
  expectTypeOf<Static<typeof NodeShape>>().toExtend<Platform.NodeInfo>();
});
