const BUNDLED = 'modules are bundled into the function when it is deployed';

/** Commands of RedisGears that are not here, and where to go instead. */
const FORMER: ReadonlyMap<string, string> = new Map([
  ['RG.PYEXECUTE', 'functions are JavaScript here; RG.JSEXECUTE takes the same options'],
  ['RG.PYSTATS', 'see RG.JSSTATS'],
  ['RG.PYDUMPSESSIONS', 'see RG.JSDUMPSESSIONS'],
  ['RG.PYPROFILE', 'set ProfileExecutions with RG.CONFIGSET; RG.GETEXECUTION shows the time of each step'],
  ['RG.PYDUMPREQS', BUNDLED],
  ['RG.PYEXPORTREQ', BUNDLED],
  ['RG.PYIMPORTREQ', BUNDLED],
  ['RG.NETWORKTEST', 'nodes send each other nothing; RG.NODES shows who is alive'],
]);

/** What a caller of a command that RedisGears had should do; undefined for other names. */
export function adviceOn(name: string): string | undefined {
  return FORMER.get(name.toUpperCase());
}
