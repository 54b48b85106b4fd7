import type { JSX } from 'preact';
import { url } from '../../api/client.ts';
import type { ConsumerInfo, Group, StreamInfo } from '../../api/types.ts';
import { Age, Answer, Badge, Card, Facts } from '../../parts/basics.tsx';
import { Screen } from '../../parts/screen.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { placeHref } from '../../state/router.ts';
import { useFetched } from '../../state/use-list.ts';
import { useTopicAge } from '../../state/use-topic-age.ts';
import { count, span } from '../../text/format.ts';
import type { ScreenAddress } from '../current-screen.tsx';
import { EntryList } from './entry-list.tsx';

/** One stream: its groups with their consumers, its newest entries. */
export function StreamScreen({ rest }: ScreenAddress): JSX.Element {
  const [stream = ''] = rest;
  const age = useTopicAge('streams');
  const answer = useFetched<StreamInfo>(url`/v1/streams/${stream}`, {}, age);
  return (
    <Screen title={stream} parent={{ href: '#/streams', name: 'Streams' }}>
      <Answer to={answer}>{(known) => <StreamBody stream={known} />}</Answer>
    </Screen>
  );
}

function StreamBody({ stream }: { readonly stream: StreamInfo }): JSX.Element {
  return (
    <>
      <Card title="Stream">
        <Facts
          facts={[
            ['Length', count(stream.length)],
            ['Oldest entry', <Age key="first" atMs={stream.firstEntryAtMs} />],
            ['Newest entry', <Age key="last" atMs={stream.lastEntryAtMs} />],
            ['Kept by', stream.internal ? 'the platform, for ticks, items, messages or keys' : null],
          ]}
        />
      </Card>
      {stream.groups.map((group) => (
        <Card key={group.registrationId} title={`Read by ${group.registrationId}`}>
          <GroupBody group={group} />
        </Card>
      ))}
      <EntryList stream={stream.stream} version={stream.lastEntryAtMs ?? 0} />
    </>
  );
}

function GroupBody({ group }: { readonly group: Group }): JSX.Element {
  return (
    <>
      <Facts
        facts={[
          [
            'Registration',
            <a key="id" href={placeHref(['registrations', group.registrationId])}>
              {[group.functionName, group.mode, group.state].filter(Boolean).join(', ')}
            </a>,
          ],
          ['Unread', `${group.unreadIsExact ? '' : 'at least '}${count(group.unread)}`],
          ['In work', `${count(group.pending)}, of which ${count(group.waiting)} wait for a retry`],
          ['Lag', group.lagAgeMs === null ? 'none' : span(group.lagAgeMs)],
          ['Delivered up to', group.lastDeliveredId === null ? null : <code key="last">{group.lastDeliveredId}</code>],
        ]}
      />
      <Table
        label={`consumers of ${group.registrationId}`}
        rows={group.consumers}
        columns={CONSUMER_COLUMNS}
        rowKey={({ name }) => name}
        tone={({ alive }) => (alive ? undefined : 'warn')}
        empty="Nobody has read it yet."
      />
    </>
  );
}

const CONSUMER_COLUMNS: readonly Column<ConsumerInfo>[] = [
  { id: 'name', label: 'Consumer', cell: ({ name }) => <code class="wrap">{name}</code> },
  {
    id: 'alive',
    label: 'State',
    cell: ({ alive }) => <Badge tone={alive ? 'ok' : 'warn'}>{alive ? 'alive' : 'gone'}</Badge>,
  },
  { id: 'node', label: 'Node', cell: ({ nodeId }) => nodeId ?? <span class="soft">none</span> },
  { id: 'pending', label: 'In work', isNumber: true, cell: ({ pending }) => count(pending) },
  { id: 'idle', label: 'Last read', isNumber: true, cell: ({ idleMs }) => `${span(idleMs)} ago` },
];
