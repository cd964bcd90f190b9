/**
 * Goal: no request, however malformed, ends the console or changes anything that it has no right to
 * change. Method: requests drawn by seed against the real server.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFaults, readFleetWish, WishError } from '../../local/console/controls.ts';
import { anyCharacter } from '../../tools/any-text.ts';
import { serverBench, TOKEN } from './server-fixture.ts';

const { ask, changes, port, own, pass } = serverBench();

/** What stands in a path as it is (RFC 3986, §3.3), and what ends one segment. */
const UNESCAPED = "azAZ09-._~!$&'()*+,;=:@/";

describe('requests of every kind', () => {
  const hosts = fc.constantFrom('own', 'own', 'own', 'localhost', 'evil.example', '-');
  const types = fc.constantFrom(
    'application/json',
    'application/json; charset=utf-8',
    'text/plain',
    'x',
  );
  const asked = fc.record({
    method: fc.constantFrom('GET', 'POST', 'POST', 'POST', 'HEAD', 'PUT'),
    path: fc.oneof(
      fc.constantFrom(
        '/',
        '/api/known',
        '/api/faults',
        '/api/fleet',
        '/api/stream',
        '/api/message?pk=a&id=b',
      ),
      fc
        .array(fc.oneof(fc.constantFrom(...UNESCAPED), anyCharacter.map(encodeURIComponent)))
        .map((characters) => `/${characters.join('')}`),
      fc.string({ maxLength: 60 }).map((text) => `/${encodeURIComponent(text.toWellFormed())}`),
    ),
    host: hosts,
    type: types,
    token: fc.constantFrom(TOKEN, TOKEN, TOKEN, 'wrong', ''),
    origin: fc.constantFrom('own', 'own', 'none', 'https://evil.example', 'null'),
    site: fc.constantFrom('same-origin', 'same-origin', 'none', 'cross-site', ''),
    body: fc.oneof(
      fc.json(),
      fc.string(),
      fc.constantFrom(
        '{"duplicate":0.1}',
        '{"action":"stop"}',
        '[]',
        'null',
        '{"__proto__":{"duplicate":1}}',
      ),
      fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
      fc.constant('x'.repeat(6_000)),
    ),
  });

  it('never end the server, and change something only with everything that a change needs', async () => {
    let allowed = 0;
    await fc.assert(
      fc.asyncProperty(asked, async ({ method, path, host, type, token, origin, site, body }) => {
        pass(60_000);
        changes.length = 0;
        const headers: Record<string, string> = { 'content-type': type };
        headers.host = host === 'own' ? own() : host === 'localhost' ? `localhost:${port()}` : host;
        if (token !== '') headers.authorization = `Bearer ${token}`;
        if (origin !== 'none') headers.origin = origin === 'own' ? `http://${own()}` : origin;
        if (site !== '') headers['sec-fetch-site'] = site;
        const answer = await ask({
          method,
          path,
          headers,
          body: method === 'GET' || method === 'HEAD' ? '' : body,
        });
        const hasAll =
          method === 'POST' &&
          (host === 'own' || host === 'localhost') &&
          type.startsWith('application/json') &&
          token === TOKEN &&
          (origin === 'own' || origin === 'none') &&
          site !== 'cross-site';
        if (!hasAll) expect(changes).toEqual([]);
        allowed += changes.length;
        expect([200, 400, 401, 403, 404, 405, 413, 415, 421]).toContain(answer.status);
        expect(answer.headers['x-content-type-options']).toBe('nosniff');
      }),
      { numRuns: 2_000, seed: 20_261_121 },
    );
    // The property could not fail if nothing ever came through.
    expect(allowed).toBeGreaterThan(20);
  }, 60_000);

  it('that are no HTTP at all are ended, and the next one is answered', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
          fc.string({ minLength: 1 }).map((text) => Buffer.from(`GET ${text} HTTP/1.1\r\n\r\n`)),
          fc.constantFrom(
            Buffer.from('GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n'),
            Buffer.from(`GET //evil.example/ HTTP/1.1\r\nHost: ${'x'.repeat(20_000)}\r\n\r\n`),
            Buffer.from(
              'POST /api/faults HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
            ),
          ),
        ),
        async (bytes) => {
          const socket = connect(port(), '127.0.0.1');
          socket.on('error', () => undefined);
          socket.end(bytes);
          socket.resume();
          await once(socket, 'close');
          expect(changes).toEqual([]);
        },
      ),
      { numRuns: 300, seed: 7 },
    );
    expect((await ask({})).status).toBe(200);
  });

  it('without a host are not answered either', async () => {
    const socket = connect(port(), '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
    });
    socket.end('GET /api/known HTTP/1.0\r\n\r\n');
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 421 /);
  });

  it('for a path of another server are not answered', async () => {
    for (const path of ['http://evil.example/', '//evil.example/', `http://${own()}/`]) {
      expect((await ask({ path, headers: { host: own() } })).status).toBe(400);
    }
  });
});

describe('wishes', () => {
  it('are numbers within their bounds, whatever else is sent', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          for (const [name, chance] of Object.entries(readFaults(value))) {
            expect(typeof chance).toBe('number');
            expect(chance).toBeGreaterThanOrEqual(0);
            expect(chance).toBeLessThanOrEqual(name === 'delayMillis' ? 60_000 : 1);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(WishError);
        }
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  it.each([
    { action: 'start', devices: 21, perSecond: 1, cuts: 0 },
    { action: 'start', devices: 0, perSecond: 1, cuts: 0 },
    { action: 'start', devices: 1.5, perSecond: 1, cuts: 0 },
    { action: 'start', devices: 1, perSecond: 51, cuts: 0 },
    { action: 'start', devices: 1, perSecond: 1, cuts: 0.6 },
    { action: 'start', devices: 1, perSecond: '1', cuts: 0 },
    { action: 'cut', cuts: -0.1 },
    { action: 'explode' },
    'start',
  ])('for a fleet beyond its bounds are refused: %j', (wish) => {
    expect(() => readFleetWish(wish)).toThrow(WishError);
  });
});
