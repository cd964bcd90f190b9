/** The console's parts by themselves: what is bounded stays bounded, what is hostile becomes text. */
import { readdirSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../core/base/time.ts';
import { compareBodies } from '../../local/console/compare.ts';
import { Counters } from '../../local/console/counters.ts';
import { readCursor, writeCursor } from '../../local/console/cursor.ts';
import { Deliveries, type DeliveryShown } from '../../local/console/deliveries.ts';
import { Lives } from '../../local/console/message-timeline.ts';
import { createStreamHub } from '../../local/console/stream.ts';
import { shown, shownBytes } from '../../local/console/text.ts';
import { anyText } from '../../tools/any-text.ts';
import { NOW } from '../../tools/handlers/samples.ts';

const PAGE = fileURLToPath(new URL('../../local/console/page', import.meta.url));

describe('the page', () => {
  const files = readdirSync(PAGE).map(
    (name) => [name, readFileSync(`${PAGE}/${name}`, 'utf8')] as const,
  );

  it('never reads a text as HTML, as code or as a style', () => {
    const forbidden =
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|setAttribute\('(?:style|on)|\.cssText|createContextualFragment|DOMParser|srcdoc|javascript:/;
    const scripts = files.filter(([name]) => name.endsWith('.js'));
    expect(scripts.length).toBeGreaterThan(8);
    expect(scripts.filter(([, text]) => forbidden.test(text)).map(([name]) => name)).toEqual([]);
  });

  it('has no script, style or handler in its HTML, and names no other origin', () => {
    const html = files.find(([name]) => name === 'index.html')?.[1] ?? '';
    expect(html).not.toMatch(/<style|style=|\son\w+=|<script(?![^>]*\ssrc=)/);
    for (const [name, text] of files) {
      const elsewhere = text
        .replaceAll('http://www.w3.org/2000/svg', '')
        .match(/(https?:)?\/\/[\w-]+\.\w+/g);
      expect([name, elsewhere]).toEqual([name, null]);
    }
  });

  it('makes no number of an amount', () => {
    const scripts = files
      .filter(([name]) => name.endsWith('.js'))
      .map(([, text]) => text)
      .join('\n');
    expect(scripts).not.toMatch(/parseFloat|Number\([^)]*[aA]mount|\+\s*\w*\.amount/);
  });
});

describe('a value of a device', () => {
  it('is cut, with its length told, and rid of what turns, hides or overprints', () => {
    expect(shown('\u202eevil\u0000\n\u200b')).toBe('\\u{202e}evil\\u{0}\\u{a}\\u{200b}');
    const long = shown('x'.repeat(1_048_576));
    expect(long).toHaveLength(160 + '… (1,048,576 characters)'.length);
    expect(shown(`e${'\u0301'.repeat(50)}`)).toBe(`e${'\u0301'.repeat(3)}[47 more marks]`);
    expect(shown('\ud800')).toBe('\ufffd');
    expect(shownBytes(Uint8Array.of(0xff, 0xfe))).toBe('fffe (2 bytes, not UTF-8)');
  });

  it('is harmless whatever it is', () => {
    fc.assert(
      fc.property(anyText(400), (text) => {
        const calm = shown(text);
        expect(calm.isWellFormed()).toBe(true);
        expect(calm).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(calm).not.toMatch(/\p{M}{4}/u);
      }),
      { numRuns: 1_000, seed: 11 },
    );
  });
});

describe('two bodies', () => {
  const compare = (one: string, other: string, named: readonly string[] = []) =>
    compareBodies(Buffer.from(one), Buffer.from(other), named);

  it('are compared by the digits that were sent, and by what lies beyond the cut', () => {
    const pad = 'x'.repeat(5_000);
    const fields = compare(`{"n":1.0,"a":{"b":"${pad}1"}}`, `{"n":1.00,"a":{"b":"${pad}2"}}`);
    expect(fields.map(({ path, differs }) => [path, differs])).toEqual([
      ['n', true],
      ['a.b', true],
    ]);
    expect(fields.every(({ came }) => (came?.length ?? 0) < 700)).toBe(true);
  });

  it('show what only one of them has, and no field that does not differ as differing', () => {
    expect(compare('{"a":1,"b":2}', '{"a":1,"c":3}')).toEqual([
      { path: 'a', came: '1', booked: '1', differs: false },
      { path: 'c', came: null, booked: '3', differs: true },
      { path: 'b', came: '2', booked: null, differs: true },
    ]);
  });

  it('that are no JSON are shown whole', () => {
    expect(compare('no JSON', '{"a":1}').map(({ path }) => path)).toEqual(['a', '']);
  });

  it('of thousands of fields are cut', () => {
    const many = JSON.stringify(
      Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`f${n}`, n])),
    );
    expect(compare(many, '{}')).toHaveLength(200);
  });
});

describe('what is kept', () => {
  const delivery = (seq: number): DeliveryShown => ({
    seq,
    at: NOW,
    route: 'r',
    device: 'd',
    id: 'i',
    topic: 't',
    body: 'b',
    bytes: 1,
    bodyHash: `hash-${seq % 10}`,
    key: null,
    verdict: null,
    detail: null,
  });

  it('of deliveries is bounded; the oldest goes with the verdict unknown', () => {
    const judged: string[] = [];
    const deliveries = new Deliveries(({ seq }, verdict) => judged.push(`${seq} ${verdict}`));
    for (let seq = 1; seq <= 10_003; seq += 1) {
      deliveries.keep({ deliveryId: `id-${seq}`, traceId: `trace-${seq}`, shown: delivery(seq) });
    }
    expect(judged).toEqual(['1 unknown', '2 unknown', '3 unknown']);
    deliveries.judge('id-1', 'accepted');
    deliveries.judge('trace-10003', 'accepted');
    deliveries.judge('id-10003', 'duplicate');
    deliveries.judge('id-10003', 'resumed');
    deliveries.judge('id-10003', 'accepted');
    expect(judged.slice(3)).toEqual(['10003 accepted', '10003 resumed']);
  });

  it('of copies is judged in the order of their arrival, as many as a write has folded', () => {
    const judged: string[] = [];
    const deliveries = new Deliveries(({ seq }, verdict) => judged.push(`${seq} ${verdict}`));
    for (const seq of [10, 20, 30]) {
      deliveries.keep({ deliveryId: `id-${seq}`, traceId: `trace-${seq}`, shown: delivery(seq) });
    }
    deliveries.judge('id-20', 'accepted');
    deliveries.judgeWaiting('hash-0', 1, 'duplicate');
    expect(judged).toEqual(['20 accepted', '10 duplicate']);
  });

  it('of lives is bounded in messages and in steps', () => {
    const lives = new Lives(2);
    const step = (bodyHash: string) => ({ at: NOW, kind: 'delivery' as const, text: '', bodyHash });
    for (const name of ['a', 'b']) lives.add(name, step(`hash-${name}`));
    for (let n = 0; n < 300; n += 1) lives.add('a', step('hash-a'));
    lives.add('c', step('hash-c'));
    expect(lives.get('b')).toBeUndefined();
    expect(lives.nameOf('hash-b')).toBeUndefined();
    expect(lives.get('a')).toMatchObject({ omitted: 101 });
    expect(lives.get('a')?.steps).toHaveLength(200);
    expect(lives.nameOf('hash-a')).toBe('a');
  });

  it('of seconds is one minute, and a clock that is set back breaks nothing', () => {
    let now = 1_000_000;
    const counters = new Counters(() => epochMillis(now));
    for (let n = 0; n < 20; n += 1) counters.delivery();
    now += 1_000;
    expect(counters.snapshot()).toMatchObject({ deliveries: 20, perSecond: 2 });
    now -= 500_000;
    counters.delivery();
    expect(counters.snapshot().deliveries).toBe(21);
    now += 10_000_000;
    expect(counters.snapshot()).toMatchObject({ perSecond: 0 });
    expect(counters.snapshot().lastMinute).toHaveLength(60);
  });
});

describe('the stream', () => {
  /** A page that reads nothing until it is told to. */
  function slowPage() {
    const written: string[] = [];
    const waiting: (() => void)[] = [];
    const page = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        written.push(chunk.toString());
        waiting.push(done);
      },
    });
    return {
      page: page as unknown as ServerResponse,
      written,
      read: () => waiting.splice(0).map((go) => go()),
    };
  }

  it('drops what a slow page cannot take, the oldest first, and says how many', async () => {
    const { page, written, read } = slowPage();
    let pulses = 0;
    const hub = createStreamHub({
      turnMillis: 1,
      waitingMax: 10,
      pulse: () => {
        pulses += 1;
        return undefined;
      },
    });
    expect(hub.open(page, { hello: 'x'.repeat(300_000) })).toBe(true);
    for (let n = 0; n < 25; n += 1) hub.push({ n });
    // Turns pass, and nothing is written to a page that has not read.
    await expect.poll(() => pulses).toBeGreaterThan(3);
    expect(written).toHaveLength(1);
    expect(page.writableLength).toBeLessThan(300_100);
    read();
    await expect.poll(() => written.length).toBeGreaterThan(1);
    const turn = JSON.parse(/data: (.*)\n/.exec(written[1] ?? '')?.[1] ?? '{}') as {
      dropped: number;
      events: unknown[];
    };
    expect(turn.dropped).toBe(15);
    expect(turn.events).toEqual(Array.from({ length: 10 }, (_, n) => ({ n: n + 15 })));
    hub.close();
  });

  it('is open to a bounded number of pages, and to another when one has gone', () => {
    const hub = createStreamHub({ turnMillis: 1_000, streamsMax: 1, pulse: () => undefined });
    const { page } = slowPage();
    expect(hub.open(page, {})).toBe(true);
    expect(hub.open(slowPage().page, {})).toBe(false);
    page.emit('close');
    expect(hub.size()).toBe(0);
    expect(hub.open(slowPage().page, {})).toBe(true);
    hub.close();
  });
});

describe('a cursor', () => {
  it('comes back as it was given', () => {
    const cursor = { shard: 1, key: { pk: { S: 'a#b' }, id: { S: '\u202e"' } } };
    expect(readCursor(writeCursor(cursor), 2)).toEqual(cursor);
    expect(() => readCursor(writeCursor(cursor), 1)).toThrow(RangeError);
  });

  it('that is anything else is refused in words', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((json) => Buffer.from(json).toString('base64url')),
        ),
        (text) => {
          try {
            expect(readCursor(text, 3).shard).toBeLessThan(3);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        },
      ),
      { numRuns: 500, seed: 2 },
    );
  });
});
