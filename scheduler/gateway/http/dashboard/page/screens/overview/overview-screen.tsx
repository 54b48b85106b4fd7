import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Card, Empty } from '../../parts/basics.tsx';
import { Screen } from '../../parts/screen.tsx';
import { useApp } from '../../state/app.ts';
import { FigureCharts } from './figure-charts.tsx';
import { Headline } from './headline.tsx';
import { Troubles } from './troubles.tsx';

/** How it goes now, and in the last five minutes. */
export function OverviewScreen(): JSX.Element {
  const { figures, feed } = useApp();
  useEffect(() => {
    figures.link.open();
    return figures.link.close;
  }, [figures]);
  const samples = figures.samples.value;
  const overview = feed.overview.value;
  return (
    <Screen title="Overview">
      <Headline overview={overview} sample={samples.at(-1) ?? overview?.sample ?? null} />
      <Troubles overview={overview} />
      {samples.length === 0 ? (
        <Card title="The last five minutes">
          <Empty>The first figures come within a second.</Empty>
        </Card>
      ) : (
        <FigureCharts samples={samples} />
      )}
      {overview?.functions === 0 ? <FirstSteps /> : null}
    </Screen>
  );
}

function FirstSteps(): JSX.Element {
  return (
    <Card title="Begin">
      <p>
        No function is loaded yet. <a href="#/upload">Upload one here</a>, or on the command line:
      </p>
      <pre class="block">npx regears deploy functions/examples/clicks.ts</pre>
    </Card>
  );
}
