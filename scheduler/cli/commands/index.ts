import type { CommandEntry } from '../command.ts';

/** Every command; the modules are loaded when the command is called. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'start',
    summary: 'start a node and run until it is told to stop',
    heading: 'Platform',
    load: async () => (await import('./start.ts')).start,
  },
  {
    name: 'demo',
    summary: 'start a node, deploy the examples, feed a sample log and watch the counters grow',
    heading: 'Platform',
    load: async () => (await import('./demo.ts')).demo,
  },
  {
    name: 'config',
    summary: 'print the settings in force and where each value came from',
    heading: 'Platform',
    load: async () => (await import('./config.ts')).config,
  },
  {
    name: 'doctor',
    summary: 'check server, nodes and consumer groups, and say what to do',
    heading: 'Platform',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'deploy',
    summary: 'bundle files and load them as functions',
    heading: 'Functions',
    load: async () => (await import('./deploy.ts')).deploy,
  },
  {
    name: 'list',
    summary: 'list functions',
    heading: 'Functions',
    load: async () => (await import('./functions.ts')).list,
  },
  {
    name: 'show',
    summary: 'show a function, its registrations and, if asked, its source',
    heading: 'Functions',
    load: async () => (await import('./functions.ts')).show,
  },
  {
    name: 'versions',
    summary: 'list the versions of a function',
    heading: 'Functions',
    load: async () => (await import('./functions.ts')).versions,
  },
  {
    name: 'rollback',
    summary: 'send new events to an earlier version',
    heading: 'Functions',
    load: async () => (await import('./change.ts')).rollback,
  },
  {
    name: 'remove',
    summary: 'remove a function with all its versions',
    heading: 'Functions',
    load: async () => (await import('./change.ts')).remove,
  },
  {
    name: 'run',
    summary: 'run a file over the data in Redis and print the results',
    heading: 'Functions',
    load: async () => (await import('./run.ts')).run,
  },
  {
    name: 'executions',
    summary: 'list batch executions, or show, abort or forget one',
    heading: 'Operating',
    load: async () => (await import('./executions.ts')).executions,
  },
  {
    name: 'registrations',
    summary: 'list registrations with their state and counters',
    heading: 'Events',
    load: async () => (await import('./registrations.ts')).registrations,
  },
  {
    name: 'pause',
    summary: 'stop taking up events for registrations',
    heading: 'Events',
    load: async () => (await import('./registrations.ts')).pause,
  },
  {
    name: 'resume',
    summary: 'take up events again',
    heading: 'Events',
    load: async () => (await import('./registrations.ts')).resume,
  },
  {
    name: 'trigger',
    summary: 'call a command function and print its results',
    heading: 'Events',
    load: async () => (await import('./trigger.ts')).trigger,
  },
  {
    name: 'feed',
    summary: 'append lines of a file or of standard input to a stream',
    heading: 'Events',
    load: async () => (await import('./feed.ts')).feed,
  },
  {
    name: 'dlq list',
    summary: 'list dead letters',
    heading: 'Operating',
    load: async () => (await import('./dlq.ts')).dlqList,
  },
  {
    name: 'dlq show',
    summary: 'show one dead letter with its payload, error and stack',
    heading: 'Operating',
    load: async () => (await import('./dlq.ts')).dlqShow,
  },
  {
    name: 'dlq redrive',
    summary: 'run dead letters again',
    heading: 'Operating',
    load: async () => (await import('./dlq.ts')).dlqRedrive,
  },
  {
    name: 'dlq discard',
    summary: 'throw dead letters away',
    heading: 'Operating',
    load: async () => (await import('./dlq.ts')).dlqDiscard,
  },
  {
    name: 'logs',
    summary: 'print what functions logged',
    heading: 'Operating',
    load: async () => (await import('./logs.ts')).logs,
  },
];
