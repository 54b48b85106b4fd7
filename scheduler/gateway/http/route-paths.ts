import type { HttpRoute } from './route.ts';

/** A path as the framework writes it: `/v1/functions/:name`. */
export function frameworkPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

/** Methods of the routes at an actual path. */
export function allowedMethods(routes: readonly HttpRoute[], path: string): readonly string[] {
  const fitting = routes.filter((route) => matches(route.path, path));
  const methods = fitting.flatMap(({ method, head }) => (head === true ? [method, 'HEAD'] : [method]));
  return [...new Set(methods)];
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const given = path.split('/');
  return wanted.length === given.length && wanted.every((part, at) => /^\{\w+\}$/.test(part) || part === given[at]);
}
