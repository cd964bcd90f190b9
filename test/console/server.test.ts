/**
 * Goal: nobody but the person at this machine reads or changes anything through the console.
 * Method: the real server on a free port, asked over sockets.
 */
import { describe, expect, it } from 'vitest';
import { serverBench, TOKEN } from './server-fixture.ts';

const { ask, changes, questions, port, own, good, pass } = serverBench();
const post = (headers: Readonly<Record<string, string>>, body = '{"duplicate":0.5}') =>
  ask({ method: 'POST', path: '/api/faults', headers, body });

describe('reading', () => {
  it('gives the page with headers that let a browser do nothing but show it', async () => {
    const { status, headers, body } = await ask({});
    expect(status).toBe(200);
    expect(body).toContain('<title>Tollbridge');
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'cross-origin-resource-policy': 'same-origin',
    });
  });

  it('answers loopback names with its own port, in any case', async () => {
    for (const name of ['127.0.0.1', 'localhost', '[::1]', 'LOCALHOST']) {
      expect((await ask({ headers: { host: `${name}:${port()}` } })).status).toBe(200);
    }
  });

  it.each([
    'evil.example',
    'evil.example:PORT',
    '127.0.0.1',
    '127.0.0.1:1',
    'localhost.evil.example:PORT',
    '127.0.0.1.nip.io:PORT',
    '0.0.0.0:PORT',
    '127.1:PORT',
    'user@127.0.0.1:PORT',
  ])('answers 421 to the name %s, which a page could have made to lead here', async (name) => {
    const headers = { host: name.replace('PORT', String(port())) };
    expect((await ask({ headers })).status).toBe(421);
    expect((await ask({ path: '/api/known', headers })).status).toBe(421);
    expect(questions).toEqual([]);
  });

  it('gives pages of other origins nothing but the page itself', async () => {
    const foreign = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: `http://127.0.0.1:${port() + 1}` },
    ];
    for (const headers of foreign) {
      for (const path of ['/api/known', '/api/stream']) {
        expect((await ask({ path, headers: { host: own(), ...headers } })).status).toBe(403);
      }
    }
    expect(questions).toEqual([]);
    const ok = await ask({
      path: '/api/known',
      headers: { host: own(), 'sec-fetch-site': 'same-origin' },
    });
    expect(ok.status).toBe(200);
  });

  it('serves the files of the page alone, whatever a path climbs to', async () => {
    const paths = [
      '/../server.ts',
      '/%2e%2e/server.ts',
      '/server.ts',
      '/page/app.js',
      '/./../../package.json',
      '/app.js%00',
    ];
    for (const path of paths) expect((await ask({ path })).status).toBe(404);
    expect((await ask({ path: '/app.js' })).headers['content-type']).toContain('text/javascript');
  });

  it('needs no token, and gives a HEAD no body', async () => {
    expect((await ask({ path: '/api/known' })).body).toBe('{"known":true}');
    expect((await ask({ path: '/api/known', method: 'HEAD' })).body).toBe('');
  });

  it('is bounded in its rate, and goes on when the moment has passed', async () => {
    const statuses = [];
    for (let n = 0; n < 260; n += 1) statuses.push((await ask({ path: '/icon.svg' })).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(200);
    expect(statuses.at(-1)).toBe(429);
    pass(1_000);
    expect((await ask({ path: '/icon.svg' })).status).toBe(200);
  });
});

describe('changing', () => {
  it('takes the token, JSON and the own origin together', async () => {
    expect(await post(good())).toMatchObject({ status: 200, body: '{"changed":true}' });
    expect(changes).toEqual([{ duplicate: 0.5 }]);
    const { origin: _, ...program } = good();
    expect((await post(program)).status).toBe(200);
  });

  it.each([
    ['no token', { authorization: '' }, 401],
    ['another token', { authorization: 'Bearer another' }, 401],
    ['a longer token', { authorization: `Bearer ${TOKEN}x` }, 401],
    ['the beginning of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }, 401],
    ['the token under another scheme', { authorization: `Basic ${TOKEN}` }, 401],
    ['a form, which any page can send', { 'content-type': 'text/plain' }, 415],
    ['a foreign origin', { origin: 'https://evil.example' }, 403],
    ['an opaque origin', { origin: 'null' }, 403],
    ['a foreign site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['another host', { host: 'evil.example' }, 421],
  ])('refuses %s', async (_, headers, status) => {
    expect((await post({ ...good(), ...headers })).status).toBe(status);
    expect(changes).toEqual([]);
  });

  it('never takes the token from an address', async () => {
    const { authorization: _, ...headers } = good();
    const path = `/api/faults?token=${TOKEN}`;
    expect((await ask({ method: 'POST', path, headers, body: '{}' })).status).toBe(401);
  });

  it('refuses a body that is too long, also one that does not say how long it is', async () => {
    const long = `{"duplicate":${' '.repeat(5_000)}1}`;
    expect((await post(good(), long)).status).toBe(413);
    const chunked = { ...good(), 'transfer-encoding': 'chunked' };
    expect((await post(chunked, long)).status).toBe(413);
    expect(changes).toEqual([]);
  });

  it('answers what cannot be met with what is allowed', async () => {
    expect(await post(good(), 'no JSON')).toMatchObject({ status: 400 });
    expect((await post(good(), '{"duplicate":2}')).body).toContain('from 0 (never) to 1');
    expect((await post(good(), '{"explode":1}')).body).toContain('duplicate');
    expect(changes).toEqual([]);
  });

  it('says that it failed when it did, and goes on', async () => {
    const broken = await ask({ method: 'POST', path: '/api/broken', headers: good(), body: '{}' });
    expect(broken.status).toBe(500);
    expect((await post(good())).status).toBe(200);
  });

  it('is bounded in its rate, so that tokens cannot be tried by the thousand', async () => {
    const statuses = [];
    for (let n = 0; n < 25; n += 1) {
      statuses.push((await post({ ...good(), authorization: `Bearer ${n}` })).status);
    }
    expect(statuses.slice(0, 20).every((status) => status === 401)).toBe(true);
    expect(statuses.slice(20)).toEqual([429, 429, 429, 429, 429]);
  });

  it('knows GET, HEAD and POST', async () => {
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      expect((await ask({ method, path: '/api/faults', headers: good() })).status).toBe(405);
    }
    expect(changes).toEqual([]);
  });
});
