/** What docs/http.md says before the routes. */
export const HTTP_INTRO = `# HTTP API

<!-- Made by \`npm run docs\` from the code; do not edit. -->

A node serves a JSON API under \`/v1\`, the dashboard at \`/\`, and \`/livez\` and \`/readyz\` for orchestrators; by default at
\`http://127.0.0.1:8380\`. \`/v1/openapi.json\` is the OpenAPI document, made from the schemas that check every request.

\`\`\`sh
curl -T functions/examples/greet.ts 'http://127.0.0.1:8380/v1/functions/greet?language=ts'
curl -H 'content-type: application/json' -d '["ann"]' http://127.0.0.1:8380/v1/trigger/greet
\`\`\`

## Tokens

\`\`\`sh
TOKEN=$(regears token create ann --role admin)
curl -H "authorization: Bearer $TOKEN" http://127.0.0.1:8380/v1/me
\`\`\`

Roles contain each other: **read** looks, **invoke** also runs functions, **admin** also changes. As long as there is no token, the API
is open to programs on the same machine, and only there; from the first one on every request needs one. On another address than loopback it
always does, and the node listens there only when its Redis asks for a password. Tokens are kept as SHA-256 of 256 random bits.

A browser may use the door only from the door's own page: other origins are refused (\`ORIGIN_REFUSED\`), unless \`http-origins\` names
them, and so is every name but \`localhost\` and loopback addresses while the door is open.

## What holds everywhere

- Points in time are milliseconds since the epoch, in fields that end in \`AtMs\`; spans end in \`Ms\`, amounts of memory in \`Bytes\`. What
  has nothing to say is \`null\`. Unknown fields and parameters are refused.
- Names and ids in a path are one percent-encoded segment: \`/v1/registrations/orders%2Fstream%2Forders%3A*\`.
- A list is \`{ "items": […], "nextCursor": text | null }\`; go on with \`cursor\`.
- Bytes are text where they are UTF-8, else \`{ "base64": "…" }\`.
- A change is answered when every live node has applied it. Problem \`NOT_CONVERGED\` names those that have not in time; the change
  stands all the same.
- An error is a problem document (RFC 9457) with our \`code\`, and \`instance\` is the id of the request: in header \`x-request-id\`, and in
  the log of the node.

\`\`\`json
{
  "type": "urn:regears:problem:function-not-found",
  "title": "Not Found",
  "status": 404,
  "detail": "there is no function \\"orders\\"",
  "code": "FUNCTION_NOT_FOUND",
  "instance": "6d9bb3c2-6f0e-4f63-a3a8-0d1f2e9d7e5c",
  "details": null
}
\`\`\`

## Idempotency keys

With header \`Idempotency-Key\` a call of \`POST /v1/trigger/{name}\` runs once, on whatever node it is asked for. Whoever comes with the
same key while it runs waits for it; later ones get its answer again (\`replayed\`), errors of the function included, for
\`http-idempotency-keep\`. A call that has not run (unknown trigger, rate limit, stopping node) leaves the key free. If the node dies while the
call runs, the key answers \`CALL_INTERRUPTED\` from then on: the call may have run in part. Keys of different tokens are different keys.

## Events

\`/v1/live\`, \`/v1/events\` and \`/v1/logs/live\` are server-sent events. Each begins with \`hello\` \`{ nodeId, atMs, beatMs }\` and has a
\`beat\` \`{ atMs }\` at least every 5 s: who hears nothing for three beats is disconnected. \`bye\` \`{ reason }\` comes when the node stops,
\`trouble\` \`{ topic, problem }\` when something could not be read; it is tried again. A client that leaves 1 MiB unread is cut off.

- \`/v1/live\`: \`history\` \`{ intervalMs, samples }\`, then a \`sample\` each second. Counts are per second over the whole fleet.
- \`/v1/events\`: an event per topic, \`{ atMs, items, total }\` with the first 200 of what the list route answers (\`overview\`: \`{ atMs, overview }\`),
  at once and then whenever it has changed. Redis is asked once for all clients of a node.
- \`/v1/logs/live\`: \`line\`, with the id of the line as event id.
`;
