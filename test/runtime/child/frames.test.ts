import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createFrameReader,
  decodeCancel,
  decodeLoad,
  decodeLoaded,
  decodeLoadFailed,
  decodeProgress,
  decodeRun,
  encodeCancel,
  encodeLoad,
  encodeLoaded,
  encodeLoadFailed,
  encodeProgress,
  encodeReplies,
  encodeRun,
  type Frame,
  ProtocolError,
} from '../../../runtime/sandbox/frames.ts';
import { FromSandbox, type LoadRequest, type Progress } from '../../../runtime/sandbox/messages.ts';
import { decodeNumberAndText } from '../../../runtime/sandbox/number-frames.ts';

const latin1 = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 50,
});
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const list = fc.array(u32, { maxLength: 8 }).map((numbers) => Uint32Array.from(numbers));
const limits = { maxFrameBytes: 1 << 20 };

function only(buffer: Buffer): Frame {
  const [frame, ...rest] = createFrameReader(limits).push(buffer);
  expect(rest).toEqual([]);
  return frame as Frame;
}

const error = fc.record({ code: fc.string(), name: fc.string(), message: fc.string(), stack: fc.string() });
const progress: fc.Arbitrary<Progress> = fc.record({
  batch: u32,
  answer: fc.boolean(),
  round: u32,
  commands: latin1,
  owners: list,
  done: list,
  filtered: list,
  started: u32,
  waiting: u32,
  results: latin1,
  resultLengths: list,
  notes: fc.option(
    fc.record(
      {
        failed: fc.array(fc.record({ index: u32, error }), { maxLength: 3 }),
        logs: fc.array(fc.record({ level: fc.constantFrom('debug', 'notice'), message: fc.string() }), {
          maxLength: 3,
        }),
        sessions: fc.array(
          fc.record({
            session: u32,
            entry: u32,
            op: fc.constantFrom('open', 'command', 'commit', 'discard'),
            command: latin1,
          }),
          { maxLength: 3 },
        ),
      },
      { requiredKeys: [] },
    ),
  ) as fc.Arbitrary<Progress['notes']>,
});

describe('frames', () => {
  test('what is encoded is decoded', () => {
    fc.assert(
      fc.property(progress, (value) => {
        expect(decodeProgress(only(encodeProgress(value)))).toEqual(value);
      }),
    );
    fc.assert(
      fc.property(u32, fc.record({ key: latin1, hashtag: latin1, payload: latin1 }), (batch, texts) => {
        const header = {
          handle: 1,
          registrationIndex: 2,
          shape: 1,
          ordered: 2,
          wantResults: 1,
          executionSize: 9,
          entryCount: 7,
        };
        const frame = only(encodeRun(batch, header, texts));
        expect(frame.batch).toBe(batch);
        const { payload, ...run } = decodeRun(frame);
        expect({ ...run, payload: payload.toString('latin1') }).toEqual({ header, ...texts });
        expect(decodeNumberAndText(only(encodeReplies(batch, 5, texts.payload)))).toEqual({
          number: 5,
          text: texts.payload,
        });
      }),
    );
    expect([...decodeCancel(only(encodeCancel(1, [3, 70_000])))]).toEqual([3, 70_000]);
    const request = { handle: 1, code: 'ä€😀' } as LoadRequest;
    expect(decodeLoad(only(encodeLoad(1, request)))).toEqual(request);
    const report = {
      registrations: [{ a: 'ü' }],
      configuration: null,
      runs: [{ b: 1 }],
      logs: [{ level: 'notice', message: '€' }],
    } as const;
    expect(decodeLoaded(only(encodeLoaded(1, report)))).toEqual(report);
    const failed = { code: 'A', name: 'B', message: 'ü', stack: '' };
    expect(decodeLoadFailed(only(encodeLoadFailed(1, failed)))).toEqual(failed);
  });

  test('chunks may be cut anywhere', () => {
    fc.assert(
      fc.property(
        fc.array(latin1, { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(40), { maxLength: 40 }),
        (texts, cuts) => {
          const bytes = Buffer.concat(texts.map((text, index) => encodeReplies(index, index, text)));
          const reader = createFrameReader(limits);
          const read: string[] = [];
          let at = 0;
          for (const size of [...cuts, bytes.length]) {
            for (const frame of reader.push(bytes.subarray(at, at + size))) read.push(decodeNumberAndText(frame).text);
            at += size;
          }
          expect(read).toEqual(texts);
          expect(reader.bufferedBytes).toBe(0);
        },
      ),
    );
  });

  test('a frame of many small chunks is joined once', () => {
    const frame = encodeReplies(1, 1, 'x'.repeat(8_000_000));
    const reader = createFrameReader({ maxFrameBytes: 1 << 24 });
    const start = performance.now();
    let frames: Frame[] = [];
    for (let at = 0; at < frame.length; at += 400) frames = reader.push(frame.subarray(at, at + 400));
    expect(frames.length).toBe(1);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  test('a frame that is too short or too long is refused before it is read', () => {
    const head = (length: number) => {
      const buffer = Buffer.alloc(9);
      buffer.writeUInt32LE(length, 0);
      return buffer;
    };
    expect(() => createFrameReader(limits).push(head(4))).toThrow(ProtocolError);
    expect(() => createFrameReader(limits).push(head(0xffff_ffff))).toThrow('above the limit');
  });

  test('a hostile body is a ProtocolError, never anything else', () => {
    const decoders = [decodeProgress, decodeLoaded, decodeLoadFailed, decodeRun, decodeCancel, decodeNumberAndText];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(...decoders), (bytes, decode) => {
        try {
          decode({ type: FromSandbox.progress, batch: 1, body: Buffer.from(bytes) });
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(progress, fc.nat(200), u32, (value, at, number) => {
        const frame = encodeProgress(value);
        if (13 + at + 4 > frame.length) return;
        frame.writeUInt32LE(number, 9 + at);
        try {
          decodeProgress(only(frame));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
