import { Type } from 'typebox';
import { nullable } from './parts.ts';

/** RFC 9457, with our code. */
export const ProblemShape = Type.Object(
  {
    type: Type.String({ description: '`urn:regears:problem:` and the code in lower case, with dashes' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'A sentence for people' }),
    code: Type.String({ description: 'Stable; explained in the table of error codes' }),
    instance: Type.String({ description: 'Id of the request, also in header x-request-id and in the log' }),
    details: nullable(Type.Object({}, { additionalProperties: true })),
  },
  { title: 'Problem' },
);
