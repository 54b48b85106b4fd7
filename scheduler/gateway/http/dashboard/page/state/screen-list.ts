/** A screen of the menu. */
export interface ScreenEntry {
  readonly id: string;
  readonly name: string;
  readonly href: string;
  /** Pressed after g. */
  readonly key: string;
}

export const SCREENS: readonly ScreenEntry[] = [
  { id: '', name: 'Overview', href: '#/', key: 'o' },
  { id: 'functions', name: 'Functions', href: '#/functions', key: 'f' },
  { id: 'registrations', name: 'Registrations', href: '#/registrations', key: 'r' },
  { id: 'streams', name: 'Streams', href: '#/streams', key: 's' },
  { id: 'executions', name: 'Executions', href: '#/executions', key: 'e' },
  { id: 'dead-letters', name: 'Dead letters', href: '#/dead-letters', key: 'd' },
  { id: 'logs', name: 'Logs', href: '#/logs', key: 'l' },
  { id: 'console', name: 'Console', href: '#/console', key: 'c' },
  { id: 'cluster', name: 'Cluster', href: '#/cluster', key: 'n' },
];
