/** What stands in packages for other places than this one, as every bundle says it. */
export const BUNDLE_DEFINES: Readonly<Record<string, string>> = {
  // There is no process in a sandbox, and packages that ask are to be as in production.
  'process.env.NODE_ENV': '"production"',
};
