import { choice, duration, integer, type Kind, list } from './kinds.ts';
import type { Rows } from './setting.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;

const ORIGIN = /^https?:\/\/[a-z0-9.:[\]-]{1,255}$/;
const ORIGIN_LIST = list('origins such as https://ops.example.org, separated by commas');
const ORIGINS: Kind<readonly string[]> = {
  ...ORIGIN_LIST,
  parse: (raw) => {
    const origins = ORIGIN_LIST.parse(raw);
    return origins?.every((origin) => ORIGIN.test(origin)) ? origins : undefined;
  },
};

/** The HTTP door. */
export const HTTP_ROWS: Rows<'http'> = {
  'http.origins': {
    name: 'http-origins',
    kind: ORIGINS,
    default: [],
    defaultText: 'none',
    description: 'Origins of pages, besides its own, that may use the HTTP door, such as one behind another name',
  },
  'http.maxConnections': {
    name: 'http-max-connections',
    kind: integer({ min: 10, max: 1_000_000 }),
    default: 1_000,
    description: 'Connections to the HTTP door at once',
  },
  'http.eventClients': {
    name: 'http-event-clients',
    kind: integer({ min: 1, max: 100_000 }),
    default: 200,
    description: 'Clients of the HTTP door that follow events at once',
  },
  'http.answerMs': {
    name: 'http-answer-timeout',
    kind: duration({ min: SECOND, max: HOUR }),
    default: 60 * SECOND,
    description: 'How long a client may take to read an answer of the HTTP door before it is cut off',
  },
  'http.idempotencyKeepMs': {
    name: 'http-idempotency-keep',
    kind: duration({ min: SECOND, max: 30 * DAY }),
    default: DAY,
    description: 'How long the answer to a call with an Idempotency-Key is kept',
  },
  'http.metricsAccess': {
    name: 'metrics-access',
    kind: choice(['token', 'open']),
    default: 'token',
    description:
      'Who may scrape /metrics: with a token of role read, as the API asks for; or everybody who reaches the HTTP door',
  },
  'http.metricsLabels': {
    name: 'metrics-labels',
    kind: integer({ min: 0, max: 10_000 }),
    default: 200,
    description:
      'Registrations, and functions, with labels of their own in /metrics; all others are summed up as `other`',
  },
};
