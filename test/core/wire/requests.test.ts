/** What a device may ask, and what is made of everything else that arrives on those topics. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BODY_BYTES_MAX, DEVICE_BYTES_MAX, ID_BYTES_MAX } from '../../../core/base/limits.ts';
import { idJson } from '../../../core/message/id.ts';
import { displayId } from '../../../core/wire/receipt-ids.ts';
import { readRequest } from '../../../core/wire/requests.ts';
import { deliveryOf } from '../../../tools/handlers/samples.ts';

const HASH = 'a'.repeat(64);
const RELEASE = '{"v":1,"route":"charges","ids":["a"]}';

const read = (kind: string, body: string, device = 'dev-1') =>
  readRequest(deliveryOf(body, { topic: `tollbridge/${device}/${kind}`, clientId: device }));

/** What was read, ids as JSON, or why nothing was. */
function readOf(kind: string, body: string) {
  const reading = read(kind, body);
  if (!reading.ok) return reading.detail;
  const { request, unread } = reading;
  return request.kind === 'release'
    ? { ids: request.ids.map((id) => idJson(displayId(id))), unread }
    : {
        messages: request.messages.map(({ id, bodyHash }) => [
          id === undefined ? '-' : idJson(displayId(id)),
          bodyHash,
        ]),
        unread,
      };
}

describe('a release', () => {
  it('names its device by the topic, its client by the connection, and a route', () => {
    const reading = readRequest(
      deliveryOf('{"v":1,"route":"charges","ids":["a"]}', {
        topic: 'tollbridge/dev-1/release',
        clientId: 'dev-2',
      }),
    );
    expect(reading).toMatchObject({
      ok: true,
      request: { kind: 'release', device: 'dev-1', clientId: 'dev-2', route: 'charges' },
    });
  });

  it('takes texts and integers, tells them apart, and takes each once', () => {
    const body = '{"v":1,"route":"charges","ids":["1",1,"1",12345678901234567890,1]}';
    expect(readOf('release', body)).toEqual({
      ids: ['"1"', '1', '12345678901234567890'],
      unread: 0,
    });
  });

  it('counts the entries that can be no id, and reads the others', () => {
    const long = JSON.stringify('x'.repeat(ID_BYTES_MAX + 1));
    const body = `{"v":1,"route":"charges","ids":["a",1.5,null,"",{},["b"],true,${long},"\\ud800","c"]}`;
    expect(readOf('release', body)).toEqual({ ids: ['"a"', '"c"'], unread: 8 });
  });

  it.each([
    ['', 'the body is not JSON'],
    ['[]', 'the body is not a JSON object'],
    ['{"route":"charges","ids":["a"]}', 'v is not 1'],
    ['{"v":"1","route":"charges","ids":["a"]}', 'v is not 1'],
    ['{"v":2,"route":"charges","ids":["a"]}', 'v is not 1'],
    ['{"v":1,"ids":["a"]}', 'route is no name'],
    ['{"v":1,"route":7,"ids":["a"]}', 'route is no name'],
    ['{"v":1,"route":"","ids":["a"]}', 'route is no name'],
    [`${RELEASE}${' '.repeat(BODY_BYTES_MAX - RELEASE.length + 1)}`, 'it has 92161 bytes'],
    ['{"v":1,"route":"charges"}', 'ids is no array'],
    ['{"v":1,"route":"charges","ids":"a"}', 'ids is no array'],
    ['{"v":1,"v":1,"route":"charges","ids":["a"]}', 'the body repeats a key'],
  ])('is refused as %s', (body, detail) => {
    expect(readOf('release', body)).toContain(detail);
  });
});

describe('a query', () => {
  it('asks for ids with the hash of a body, and for hashes alone', () => {
    const body = `{"v":1,"route":"charges","messages":[{"id":"a","bodyHash":"${HASH}"},{"id":7,"bodyHash":"${HASH}"},{"bodyHash":"${HASH}"},{"id":"a","bodyHash":"${HASH}"}]}`;
    expect(readOf('query', body)).toEqual({
      messages: [
        ['"a"', HASH],
        ['7', HASH],
        ['-', HASH],
      ],
      unread: 0,
    });
  });

  it('counts the entries that name no message', () => {
    const entries = [
      '"a"',
      'null',
      '{"id":"a"}',
      '{"id":"a","bodyHash":"short"}',
      `{"id":"a","bodyHash":"${HASH.toUpperCase()}"}`,
      `{"id":null,"bodyHash":"${HASH}"}`,
      `{"id":{},"bodyHash":"${HASH}"}`,
      `{"id":"a","bodyHash":["${HASH}"]}`,
    ];
    const body = `{"v":1,"route":"charges","messages":[${entries}]}`;
    expect(readOf('query', body)).toEqual({ messages: [], unread: entries.length });
  });

  it('is refused without messages', () => {
    expect(readOf('query', '{"v":1,"route":"charges","ids":["a"]}')).toContain(
      'messages is no array',
    );
  });
});

it('a device without a name, or with one that no thing has, asks for nothing', () => {
  for (const device of ['', 'x'.repeat(DEVICE_BYTES_MAX + 1)]) {
    const reading = read('release', '{"v":1,"route":"charges","ids":["a"]}', device);
    expect(reading).toMatchObject({ ok: false, detail: expect.stringContaining('name') });
  }
});

it('a request may be as large as each limit', () => {
  expect(read('release', RELEASE, 'x'.repeat(DEVICE_BYTES_MAX)).ok).toBe(true);
  expect(readOf('release', RELEASE.padEnd(BODY_BYTES_MAX, ' '))).toEqual({
    ids: ['"a"'],
    unread: 0,
  });
  const id = JSON.stringify('x'.repeat(ID_BYTES_MAX));
  expect(readOf('release', `{"v":1,"route":"charges","ids":[${id}]}`)).toEqual({
    ids: [id],
    unread: 0,
  });
});

it.each(['other', ''])('a topic that ends in %j asks for nothing', (kind) => {
  const body = `{"v":1,"route":"charges","ids":["a"],"messages":[{"bodyHash":"${HASH}"}]}`;
  expect(readOf(kind, body)).toBe('the topic asks for nothing known');
});

it('nothing that arrives makes the reader throw', () => {
  const value = fc.jsonValue({ maxDepth: 4, noUnicodeString: false });
  const near = fc.record(
    { v: fc.constantFrom(1, 2, '1'), route: fc.oneof(fc.constant('charges'), value) },
    { requiredKeys: [] },
  );
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(near, value, value)
      .map(([head, ids, messages]) => Buffer.from(JSON.stringify({ ...head, ids, messages }))),
  );
  const topic = fc.constantFrom('release', 'query', 'other', '');
  fc.assert(
    fc.property(topic, body, (kind, bytes) => {
      const reading = readRequest(
        deliveryOf(bytes, { topic: `tollbridge/dev-1/${kind}`, clientId: 'dev-1' }),
      );
      expect(typeof reading.ok).toBe('boolean');
    }),
    { seed: 7, numRuns: 2_000 },
  );
});
