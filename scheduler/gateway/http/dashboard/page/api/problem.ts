/** An error as the API words it. Code `UNREACHABLE` is the page's own: no answer has come. */
export interface Problem {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** Id of the request, also in the node's log; null when none was answered. */
  readonly instance: string | null;
  readonly details: Readonly<Record<string, unknown>> | null;
}

/** The one error of the page: what was asked for has not been given. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'ProblemError';
    this.problem = problem;
  }
}

/** Any error as a problem. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  const detail = error instanceof Error ? error.message : String(error);
  return { code: 'PAGE_ERROR', status: 0, title: 'The page failed', detail, instance: null, details: null };
}

export function unreachable(detail: string): ProblemError {
  const title = 'Not reachable';
  return new ProblemError({ code: 'UNREACHABLE', status: 0, title, detail, instance: null, details: null });
}

const ADVICE: Readonly<Record<string, string>> = {
  UNREACHABLE: 'Check that the node runs and that this machine reaches it. The page goes on trying.',
  UNAUTHENTICATED: 'Enter a token, or make one with: regears token create.',
  PERMISSION_DENIED: 'Use a token with a higher role: invoke runs functions, admin changes them.',
  ORIGIN_REFUSED: 'Open the page at the address of the node itself, or name this origin in setting http-origins.',
  NOT_CONVERGED: 'The change stands. A node has not confirmed it yet: look at Cluster for one that is behind.',
  FUNCTION_EXISTS: 'Choose another name, or upload without “must be new” to make a new version.',
  GUEST_ERROR: 'The function threw this. The stack names the line of its source.',
  GUEST_ARGUMENT: 'Correct the line of the source that is named.',
  NODE_DRAINING: 'The node is about to stop. Use another one, or wait until it is back.',
  CALL_TIMED_OUT: 'The call goes on. Give it more time, or look for what it waits for in its log lines.',
  ARGUMENT_INVALID: 'Correct the field that is named and try again.',
  EXECUTION_RUNNING: 'Abort the execution, or wait for its end.',
  TOO_MANY_CLIENTS: 'Close other pages of this node, or raise setting http-event-clients.',
  REDIS_UNAVAILABLE: 'The node cannot reach Redis. It reconnects by itself; check that Redis runs.',
  PAGE_ERROR: 'Load the page again. If it comes back, report it with this text.',
};

/** What a person can do about a problem. */
export function adviceFor({ code, status, instance }: Problem): string {
  const known = ADVICE[code];
  if (known !== undefined) return known;
  if (status === 404) return 'It may have been removed since. Go back to the list.';
  if (status === 409) return 'Something else has changed it meanwhile. Look at its present state and try again.';
  if (status === 429 || status === 503) return 'Wait a moment and try again.';
  if (status >= 500) return `Look in the log of the node${instance === null ? '' : ` for request ${instance}`}.`;
  return 'Correct what is named and try again.';
}
