import type { JSX } from 'preact';
import type { NodeInfo, SandboxInfo } from '../../api/platform-types.ts';
import { Age, Answer, Badge, Card, Empty, Facts, type Tone } from '../../parts/basics.tsx';
import { placeHref } from '../../state/router.ts';
import { useList } from '../../state/use-list.ts';
import { memory, span } from '../../text/format.ts';

/** Every live node with its sandbox processes. */
export function NodeList(): JSX.Element {
  return (
    <Answer to={useList('nodes', '/v1/nodes')}>
      {(nodes) =>
        nodes.length === 0 ? (
          <Empty>No node is alive.</Empty>
        ) : (
          nodes.map((node) => <NodeCard key={node.nodeId} node={node} />)
        )
      }
    </Answer>
  );
}

function NodeCard({ node }: { readonly node: NodeInfo }): JSX.Element {
  return (
    <Card title={`Node ${node.slot}`} tools={<NodeBadges node={node} />}>
      <NodeFacts node={node} />
      <Sandboxes node={node} />
    </Card>
  );
}

/** Whether a node takes work, as it said last. */
const READINESS: readonly (readonly [NodeInfo['ready'], Tone, string])[] = [
  [null, 'calm', 'has not reported'],
  [true, 'ok', 'ready'],
  [false, 'bad', 'not ready'],
];

function NodeBadges({ node }: { readonly node: NodeInfo }): JSX.Element {
  return (
    <>
      {node.self ? <Badge tone="accent">serves this page</Badge> : null}
      {node.behind ? <Badge tone="warn">behind the registry</Badge> : null}
      {READINESS.filter(([ready]) => ready === node.ready).map(([, tone, words]) => (
        <Badge key={words} tone={tone}>
          {words}
        </Badge>
      ))}
    </>
  );
}

function NodeFacts({ node }: { readonly node: NodeInfo }): JSX.Element {
  return (
    <Facts
      facts={[
        [
          'Id',
          <code key="id" class="wrap">
            {node.nodeId}
          </code>,
        ],
        ['Host', `${node.host}, process ${node.pid}`],
        ['Version', node.version],
        ['Started', <Age key="started" atMs={node.startedAtMs} />],
        ['Revision', node.revision],
        [
          'Memory',
          node.residentBytes === null ? null : `${memory(node.residentBytes)}, heap ${memory(node.heapBytes)}`,
        ],
        ['Each sandbox may take', node.sandboxLimitBytes === null ? null : memory(node.sandboxLimitBytes)],
        ['Delay of its loop', node.loopDelayMs === null ? null : span(node.loopDelayMs)],
      ]}
    />
  );
}

const ROLES: Readonly<Record<SandboxInfo['role'], string>> = {
  shared: 'shared by functions',
  alone: 'for one function alone',
  spare: 'spare',
};

/** Their bars are full where a process is killed. */
function Sandboxes({ node: { sandboxes, sandboxLimitBytes } }: { readonly node: NodeInfo }): JSX.Element {
  const most = sandboxLimitBytes ?? Math.max(1, ...sandboxes.map(({ residentBytes }) => residentBytes));
  return (
    <ul class="sandboxes" aria-label="Sandbox processes">
      {sandboxes.map(({ pid, role, residentBytes, isolates }) => (
        <li key={pid}>
          <span>
            Process {pid} <span class="soft">{ROLES[role]}</span>
          </span>
          <span class="step-time">
            <meter min={0} max={most} value={residentBytes} aria-label={`Memory of process ${pid}`} />{' '}
            <span class="step-amount">{memory(residentBytes)}</span>
          </span>
          <span class="wrap">
            {isolates.map(({ functionName, version }) => (
              <a
                key={`${functionName}@${version}`}
                class="chip"
                href={placeHref(['functions', functionName, 'source'], { version })}
              >
                {functionName}@{version}
              </a>
            ))}
          </span>
        </li>
      ))}
    </ul>
  );
}
