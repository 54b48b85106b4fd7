import type { JSX } from 'preact';
import { Screen, Tabs } from '../../parts/screen.tsx';
import type { ScreenAddress } from '../current-screen.tsx';
import { DoctorView } from './doctor-view.tsx';
import { NodeList } from './node-list.tsx';
import { OptionList } from './option-list.tsx';
import { SettingList } from './setting-list.tsx';
import { ShardView } from './shard-view.tsx';
import { TokenList } from './token-list.tsx';

const TABS = [
  { id: 'nodes', name: 'Nodes', href: '#/cluster' },
  { id: 'redis', name: 'Redis', href: '#/cluster/redis' },
  { id: 'doctor', name: 'Doctor', href: '#/cluster/doctor' },
  { id: 'options', name: 'Options', href: '#/cluster/options' },
  { id: 'settings', name: 'Settings', href: '#/cluster/settings' },
  { id: 'tokens', name: 'Tokens', href: '#/cluster/tokens' },
];

const VIEWS: Readonly<Record<string, () => JSX.Element>> = {
  nodes: NodeList,
  redis: ShardView,
  doctor: DoctorView,
  options: OptionList,
  settings: SettingList,
  tokens: TokenList,
};

/** The nodes, the Redis behind them, and what both are set to. */
export function ClusterScreen({ rest }: ScreenAddress): JSX.Element {
  const [tab = 'nodes'] = rest;
  const View = Object.hasOwn(VIEWS, tab) ? VIEWS[tab] : NodeList;
  return (
    <Screen title="Cluster" lead="The nodes that share the work, and the Redis behind them.">
      <Tabs label="Views of the cluster" current={tab} tabs={TABS} />
      {View === undefined ? null : <View />}
    </Screen>
  );
}
