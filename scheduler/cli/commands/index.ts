import type { CommandEntry } from '../command.ts';

/** Every command for people; the modules are loaded when the command is called. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'start',
    summary: 'start a node and run until it is told to stop',
    heading: 'Platform',
    load: async () => (await import('./start.ts')).start,
  },
  {
    name: 'dev',
    summary: 'develop functions: a node with its own Redis that deploys on every save and shows all that happens',
    heading: 'Platform',
    load: async () => (await import('./dev.ts')).dev,
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
    name: 'init',
    summary: 'write a project with a function in TypeScript and its test',
    heading: 'Functions',
    load: async () => (await import('./init.ts')).init,
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
    name: 'export',
    summary: 'write all functions with all versions into one file',
    heading: 'Functions',
    load: async () => (await import('./export.ts')).exportRegistry,
  },
  {
    name: 'import',
    summary: 'bring the functions of an export into a server',
    heading: 'Functions',
    load: async () => (await import('./import.ts')).importRegistry,
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
    name: 'unregister',
    summary: 'take registrations out of force',
    heading: 'Events',
    load: async () => (await import('./unregister.ts')).unregister,
  },
  {
    name: 'streams',
    summary: 'list streams with what is unread, pending and in work',
    heading: 'Events',
    load: async () => (await import('./streams.ts')).streams,
  },
  {
    name: 'tail',
    summary: 'print the entries of streams as they come',
    heading: 'Events',
    load: async () => (await import('./tail.ts')).tail,
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
    name: 'nodes',
    summary: 'list the live nodes',
    heading: 'Operating',
    load: async () => (await import('./nodes.ts')).nodes,
  },
  {
    name: 'top',
    summary: 'watch nodes, registrations and sandboxes on the terminal',
    heading: 'Operating',
    load: async () => (await import('./top.ts')).top,
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
    name: 'token create',
    summary: 'make a token for the HTTP door',
    heading: 'Operating',
    load: async () => (await import('./token.ts')).tokenCreate,
  },
  {
    name: 'token list',
    summary: 'list tokens of the HTTP door',
    heading: 'Operating',
    load: async () => (await import('./token.ts')).tokenList,
  },
  {
    name: 'token revoke',
    summary: 'end a token of the HTTP door',
    heading: 'Operating',
    load: async () => (await import('./token.ts')).tokenRevoke,
  },
  {
    name: 'logs',
    summary: 'print what functions logged',
    heading: 'Operating',
    load: async () => (await import('./logs.ts')).logs,
  },
  {
    name: 'completion',
    summary: 'print what makes a shell complete commands and names',
    heading: 'Operating',
    load: async () => (await import('./completion.ts')).completion,
  },
];

/** What shells call. */
export const HIDDEN_COMMANDS: readonly CommandEntry[] = [
  {
    name: 'complete',
    summary: 'print what may be typed next',
    heading: 'Operating',
    isHidden: true,
    load: async () => (await import('./completion.ts')).createComplete(COMMANDS),
  },
];
