import type { JSX } from 'preact';
import type { StreamInfo } from '../../api/types.ts';
import { Age, Answer, Badge } from '../../parts/basics.tsx';
import { Screen } from '../../parts/screen.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { placeHref } from '../../state/router.ts';
import { useList } from '../../state/use-list.ts';
import { count, span } from '../../text/format.ts';
import { consumersOf, lagOf } from './lag.ts';

/** The streams that registrations read. */
export function StreamsScreen(): JSX.Element {
  const list = useList('streams', '/v1/streams');
  return (
    <Screen title="Streams" lead="What is read, how far behind, and by whom.">
      <Answer to={list}>
        {(streams) => (
          <Table
            label="streams"
            rows={streams}
            columns={COLUMNS}
            rowKey={({ stream }) => stream}
            search={({ stream, groups }) => `${stream} ${groups.map(({ registrationId }) => registrationId).join(' ')}`}
            tone={(stream) => (consumersOf(stream).gone > 0 ? 'warn' : undefined)}
            empty="No registration reads a stream."
          />
        )}
      </Answer>
    </Screen>
  );
}

const COLUMNS: readonly Column<StreamInfo>[] = [
  {
    id: 'stream',
    label: 'Stream',
    sort: ({ stream }) => stream,
    cell: ({ stream, internal, groups }) => (
      <>
        <a class="strong wrap" href={placeHref(['streams', stream])}>
          {stream}
        </a>{' '}
        {internal ? <Badge tone="calm">internal</Badge> : null}
        <span class="below soft wrap">{groups.map(({ registrationId }) => registrationId).join(', ')}</span>
      </>
    ),
  },
  { id: 'length', label: 'Length', isNumber: true, sort: ({ length }) => length, cell: ({ length }) => count(length) },
  {
    id: 'unread',
    label: 'Unread',
    isNumber: true,
    sort: (stream) => lagOf(stream).unread ?? 0,
    cell: (stream) => `${lagOf(stream).isExact ? '' : '≥ '}${count(lagOf(stream).unread)}`,
  },
  {
    id: 'pending',
    label: 'In work',
    isNumber: true,
    sort: (stream) => lagOf(stream).pending,
    cell: (stream) => count(lagOf(stream).pending),
  },
  {
    id: 'age',
    label: 'Lag',
    isNumber: true,
    sort: (stream) => lagOf(stream).ageMs ?? 0,
    cell: (stream) => span(lagOf(stream).ageMs),
  },
  {
    id: 'last',
    label: 'Newest entry',
    sort: ({ lastEntryAtMs }) => lastEntryAtMs ?? 0,
    cell: ({ lastEntryAtMs }) => <Age atMs={lastEntryAtMs} />,
  },
  { id: 'consumers', label: 'Consumers', cell: (stream) => <ConsumerCount stream={stream} /> },
];

function ConsumerCount({ stream }: { readonly stream: StreamInfo }): JSX.Element {
  const { alive, gone } = consumersOf(stream);
  return (
    <>
      <Badge tone={alive > 0 ? 'ok' : 'bad'}>{alive} alive</Badge>{' '}
      {gone === 0 ? null : <Badge tone="warn">{gone} gone</Badge>}
    </>
  );
}
