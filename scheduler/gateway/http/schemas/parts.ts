import { type Static, type TObject, type TProperties, type TSchema, Type } from 'typebox';

/** A value or null. */
export function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

/** One of a closed list of words. */
export function words<const Word extends string>(list: readonly Word[], description?: string) {
  return Type.Unsafe<Word>({ type: 'string', enum: list, ...(description === undefined ? {} : { description }) });
}

/** An object that has these fields and no others. */
export function shape<P extends TProperties>(properties: P, title?: string): TObject<P> {
  return Type.Object(properties, { additionalProperties: false, ...(title === undefined ? {} : { title }) });
}

export const AtMs = Type.Integer({ minimum: 0, description: 'ms since the epoch' });
export const SpanMs = Type.Number({ minimum: 0, description: 'ms' });
export const Count = Type.Integer({ minimum: 0 });
export const Bytes = Type.Integer({ minimum: 0, description: 'bytes' });
export const OrNull = { text: nullable(Type.String()), atMs: nullable(AtMs), count: nullable(Count) };

/** Text, or base64 of bytes that are no UTF-8. */
export const BytesText = Type.Union([Type.String(), shape({ base64: Type.String() })]);

/** A reply of Redis or of a function: text or bytes, number, null, or an array of such. */
export const Value = Type.Unknown({ description: 'text, `{ "base64" }`, number, null, or an array of such values' });

/** Longest page of a list. */
export const MOST_ITEMS = 1_000;
export const DEFAULT_ITEMS = 100;

export const PAGING = {
  limit: Type.Integer({ minimum: 1, maximum: MOST_ITEMS, default: DEFAULT_ITEMS }),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 4_096, description: '`nextCursor` of the page before' }),
  ),
};

/** A page of a list. */
export function pageOf<T extends TSchema>(item: T) {
  return shape({
    items: Type.Array(item),
    nextCursor: Type.Union([Type.String(), Type.Null()], { description: 'null = this was the last page' }),
  });
}

export const FunctionName = Type.String({ minLength: 1, maxLength: 200, description: 'Name of a function' });
export const VersionNumber = Type.Integer({ minimum: 1 });
export const RegistrationId = Type.String({ minLength: 1, maxLength: 4_096, description: 'Id of a registration' });
export const Revision = shape({
  revision: Type.Integer({ description: 'of the registry, applied by every live node' }),
});

export type PageOf<Item> = { readonly items: readonly Item[]; readonly nextCursor: string | null };
export type BytesTextValue = Static<typeof BytesText>;
