/** Goal: values of devices do no harm in a terminal or a spreadsheet, and lose nothing in JSON. */
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { plainOf } from '../../cli/output/items.ts';
import { type Output, outputOf } from '../../cli/output/output.ts';
import { createProgress } from '../../cli/output/progress.ts';
import { forCsv, forJson, forTerminal } from '../../cli/output/safe.ts';
import { anyText } from '../../tools/any-text.ts';

const OBEYED = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const texts = anyText(30);

describe('a text', () => {
  it('holds nothing that a terminal obeys', () => {
    fc.assert(
      fc.property(texts, (text) => {
        for (const shown of [forTerminal(text), forCsv(text), forJson(text)]) {
          expect(shown).not.toMatch(OBEYED);
        }
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });

  it('is the same after JSON was read', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(JSON.parse(forJson({ text }))).toEqual({ text });
      }),
      { seed: 2, numRuns: 2_000 },
    );
  });

  it.each([
    '=1+1',
    '+1+1',
    '-1+1|cmd',
    '@sum',
    ' =1',
    '\t=1',
    '"=1',
    "'=1",
    '＝1',
    '-',
    '--1',
    '-1e',
  ])('%j does not begin a formula in CSV', (text) => {
    expect(forCsv(text).startsWith("'")).toBe(text !== '\t=1');
    expect(forCsv(text)).not.toMatch(/^[=+\-@＝\t]/);
  });

  it.each(['-1.25', '1e5', '-1E-7', '0', 'acme', 'a=b', '12345678901234567890123456789012345678'])(
    '%j stays as it is in CSV',
    (text) => {
      expect(forCsv(text)).toBe(text);
    },
  );
});

describe('a row', () => {
  it('keeps decimals as texts, counts as numbers, bytes as base64', () => {
    expect(
      plainOf({
        amount: { N: '1.10' },
        tries: { N: '3' },
        huge: { N: '9007199254740993' },
        body: { B: Buffer.from([0, 255]) },
        fields: { L: [{ S: 'a' }, { N: '1' }] },
        principal: { NULL: true },
      }),
    ).toEqual({
      amount: '1.10',
      tries: 3,
      huge: '9007199254740993',
      bodyBase64: 'AP8=',
      fields: ['a', 1],
      principal: null,
    });
  });
});

describe('a listing', () => {
  const columns = [{ name: 'n', text: (n: number) => `x${n}` }];
  const counted = ['row', 'rows'] as const;
  const json = (n: number) => ({ n });
  function captured(flags: Parameters<typeof outputOf>[0]) {
    const written: string[] = [];
    const output: Output = outputOf(flags, async (text) => void written.push(text));
    return { output, written };
  }

  it('reads no further than has been written', async () => {
    let read = 0;
    async function* rows() {
      for (; read < 10_000; read++) yield read;
    }
    const waiting: (() => void)[] = [];
    const output = outputOf({ json: true }, () => new Promise((resolve) => waiting.push(resolve)));
    void output.list({ columns, rows: rows(), json });
    await vi.waitFor(() => expect(waiting).toHaveLength(1));
    expect(read).toBe(0);
    waiting[0]?.();
    await vi.waitFor(() => expect(waiting).toHaveLength(2));
    expect(read).toBe(1);
  });

  it('of many rows is printed as several tables, so that none is held whole', async () => {
    const { output, written } = captured({});
    const rows = Array.from({ length: 1_001 }, (_, n) => n);
    expect(await output.list({ columns, rows, json, counted })).toBe(1_001);
    expect(written.length).toBe(4);
    expect(written.at(-1)).toBe('1001 rows\n');
    expect(written.join('').match(/x\d+ +│/g)).toHaveLength(1_001);
  });

  it('of none is an empty table, an empty CSV with its header, or no JSON at all', async () => {
    const [table, csv, lines] = [captured({}), captured({ csv: true }), captured({ json: true })];
    for (const { output } of [table, csv, lines])
      await output.list({ columns, rows: [], json, counted });
    expect(table.written.at(-1)).toBe('0 rows\n');
    expect(csv.written).toEqual(['n\n']);
    expect(lines.written).toEqual([]);
  });
});

describe('progress', () => {
  afterEach(() => vi.useRealTimers());

  function terminal(isTTY: boolean) {
    const write = vi.fn(() => true);
    const stream = {
      isTTY,
      write,
      columns: 80,
      cursorTo: write,
      clearLine: write,
      moveCursor: write,
    };
    return { stream: stream as unknown as NodeJS.WriteStream, write };
  }

  it('is shown on a terminal alone, and only of a read that takes longer', () => {
    vi.useFakeTimers();
    const [quick, slow, piped] = [terminal(true), terminal(true), terminal(false)];
    const first = createProgress('reading', undefined, quick.stream);
    first.add(5);
    first.stop();
    const second = createProgress('reading', 10, slow.stream);
    const third = createProgress('reading', 10, piped.stream);
    vi.advanceTimersByTime(5_000);
    // More rows than AWS had counted are no fault.
    second.add(25);
    second.stop();
    third.add(1);
    third.stop();
    expect(quick.write).not.toHaveBeenCalled();
    expect(piped.write).not.toHaveBeenCalled();
    expect(slow.write.mock.calls.flat().join('')).toContain('reading');
  });
});
