import type { ComponentType, JSX } from 'preact';
import { Screen } from '../parts/screen.tsx';
import { useApp } from '../state/app.ts';
import { ClusterScreen } from './cluster/cluster-screen.tsx';
import { ConsoleScreen } from './console/console-screen.tsx';
import { LetterScreen } from './dead-letters/letter-screen.tsx';
import { LettersScreen } from './dead-letters/letters-screen.tsx';
import { ExecutionScreen } from './executions/execution-screen.tsx';
import { ExecutionsScreen } from './executions/executions-screen.tsx';
import { FunctionScreen } from './functions/function-screen.tsx';
import { FunctionsScreen } from './functions/functions-screen.tsx';
import { UploadScreen } from './functions/upload-screen.tsx';
import { LogsScreen } from './logs/logs-screen.tsx';
import { OverviewScreen } from './overview/overview-screen.tsx';
import { RegistrationScreen } from './registrations/registration-screen.tsx';
import { RegistrationsScreen } from './registrations/registrations-screen.tsx';
import { StreamScreen } from './streams/stream-screen.tsx';
import { StreamsScreen } from './streams/streams-screen.tsx';

/** What a screen is told: the parts of its address behind its own name. */
export interface ScreenAddress {
  readonly rest: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

interface Screens {
  readonly list: ComponentType<ScreenAddress>;
  /** For one thing of the list. */
  readonly one?: ComponentType<ScreenAddress>;
}

const SCREENS: Readonly<Record<string, Screens>> = {
  '': { list: OverviewScreen },
  functions: { list: FunctionsScreen, one: FunctionScreen },
  upload: { list: UploadScreen },
  registrations: { list: RegistrationsScreen, one: RegistrationScreen },
  streams: { list: StreamsScreen, one: StreamScreen },
  executions: { list: ExecutionsScreen, one: ExecutionScreen },
  'dead-letters': { list: LettersScreen, one: LetterScreen },
  logs: { list: LogsScreen },
  console: { list: ConsoleScreen },
  cluster: { list: ClusterScreen, one: ClusterScreen },
};

/** The screen that the address names. */
export function CurrentScreen(): JSX.Element {
  const { path, query } = useApp().router.place.value;
  const [name = '', ...rest] = path;
  const screens = Object.hasOwn(SCREENS, name) ? SCREENS[name] : undefined;
  const Found = rest.length === 0 ? screens?.list : screens?.one;
  if (Found === undefined) {
    return (
      <Screen title="Nothing here">
        <p>
          The page has no screen at this address. Go to the <a href="#/">overview</a>.
        </p>
      </Screen>
    );
  }
  return <Found key={`${name}/${rest[0] ?? ''}`} rest={rest} query={query} />;
}
