/** Raw HTTP: requests as bytes, and what a server answers to them before it ends the connection. */
import { connect } from 'node:net';
import fc from 'fast-check';
import { mutated, rawBytes, rawText } from './bytes.ts';
import { fail } from './fail.ts';

export interface Drawn {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE', 'PRI', 'get'];
export const anyMethod = fc.constantFrom(...METHODS);
/** What stands in a request line must have no white space, or it ends there; mutation puts it in. */
export const inLine = (text: string) => text.replaceAll(/[\s\p{Cc}\ud800-\udfff]/gu, '%20');
export const oddTarget = fc.oneof(
  rawText.map((text) => `/${inLine(text)}`),
  fc.constantFrom(
    '/..',
    '//x',
    '/%',
    '/%00',
    '*',
    'http://elsewhere/',
    '/a?b=%ff',
    '/?',
    '/%2e%2e/x',
  ),
  fc.constant(`/${'a'.repeat(15_000)}`),
);
const oddHeader = fc.tuple(
  fc.constantFrom(
    'host',
    'content-length',
    'transfer-encoding',
    'expect',
    'origin',
    'upgrade',
    'x',
  ),
  fc.constantFrom('', '0', '-1', '99999999999', 'chunked', '100-continue', 'evil.example', 'null'),
);

/** The bytes on the wire. The connection is to be closed, so that its end is the answer's end. */
function bytesOf({ method, target, headers, body }: Drawn, host: string): Buffer {
  const named = new Set(headers.map(([name]) => name));
  const all = [
    ...(named.has('host') ? [] : [['host', host] as const]),
    ...headers,
    ...(named.has('content-length') || named.has('transfer-encoding')
      ? []
      : [['content-length', String(body.length)] as const]),
    ['connection', 'close'] as const,
  ];
  const lines = all.map(([name, value]) => `${name}: ${value}`);
  return Buffer.concat([
    Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'utf8'),
    body,
  ]);
}

/** A good request, one with an odd header, one with damage, or bytes of no kind. */
export function requestBytes(drawn: fc.Arbitrary<Drawn>): fc.Arbitrary<(host: string) => Buffer> {
  const host = 'HOST';
  const whole = drawn.map((request) => bytesOf(request, host));
  const odd = fc
    .tuple(drawn, oddHeader)
    .map(([request, header]) =>
      bytesOf({ ...request, headers: [...request.headers, header] }, host),
    );
  const bytes = fc.oneof(
    { weight: 12, arbitrary: whole },
    { weight: 3, arbitrary: odd },
    { weight: 4, arbitrary: mutated(whole) },
    { weight: 1, arbitrary: rawBytes },
  );
  return bytes.map((all) => {
    const text = all.toString('latin1');
    const place = (to: string) => Buffer.from(text.replace(host, to), 'latin1');
    return Object.assign(place, { toString: () => JSON.stringify(text.slice(0, 2_000)) });
  });
}

/** What looks like the inside of a program: no answer may show it. */
const STACK = /\bat [^\n]*\(?(?:file:\/\/|node:|\/)[^\n]*:\d+:\d+\)?/;

/**
 * Sends the bytes and gives the status of the first answer; `undefined` where the server ended the
 * connection without a word, which only bytes that are no HTTP deserve.
 */
export async function answerTo(port: number, bytes: Buffer): Promise<number | undefined> {
  // `100 Continue` asks for the body, and the answer follows it.
  const answer = (await exchange(port, bytes)).replace(/^(HTTP\/1\.1 100 [^\r]*\r\n\r\n)+/, '');
  if (STACK.test(answer)) fail('an answer shows a stack', answer);
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1];
  if (answer !== '' && status === undefined) fail('an answer that is none', answer);
  return status === undefined ? undefined : Number(status);
}

/** All that comes back until the connection ends, or a stream has begun. */
function exchange(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    const chunks: Buffer[] = [];
    let isConnected = false;
    socket.once('connect', () => {
      isConnected = true;
      // The end of the bytes ends what waits for more of them.
      socket.end(bytes);
    });
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (/\r\ncontent-type: text\/event-stream/i.test(chunk.toString('latin1'))) socket.destroy();
    });
    socket.once('end', () => socket.destroy());
    socket.on('error', (error) => {
      if (!isConnected) reject(error);
    });
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
}
