/**
 * Goal: whatever arrives ends in a verdict or a clean refusal: no crash, no hang, no body that is
 * kept otherwise than it came. Method: more than a hundred thousand inputs, drawn by seed from
 * grammars, damaged good ones, and bytes of no kind; `npm run fuzz` draws more.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDecimal } from '../../core/base/decimal.ts';
import { RetryableError } from '../../core/base/errors.ts';
import { envelopeOf } from '../../tools/handlers/ingest.ts';
import { routeOf } from '../../tools/handlers/samples.ts';
import { Bench } from './ends.ts';
import { numberText } from './numbers.ts';
import { faultsOf, tableOf } from './report.ts';
import { type Report, targetOf } from './target.ts';
import { inputsOf, TARGETS } from './targets.ts';

const INPUTS = 110_000;
const SEED = 20_261_121;

describe('anything that arrives', () => {
  const reports: Report[] = [];
  it.each(TARGETS.map((target) => [target.name, target] as const))(
    'ends cleanly, and every end is reached: %s',
    async (_, target) => {
      const report = await target.run({ seed: SEED, inputs: inputsOf(target, INPUTS) });
      reports.push(report);
      expect(faultsOf(report, true)).toEqual([]);
    },
  );

  it('was more than a hundred thousand inputs', () => {
    process.stdout.write(`${tableOf(reports)}\n`);
    const inputs = reports.reduce((sum, report) => sum + report.inputs, 0);
    expect(inputs).toBeGreaterThan(100_000);
  });
});

describe('the fuzzer', () => {
  const text = fc.string({ maxLength: 30 });
  const target = (check: (input: string) => string | Promise<string>) =>
    targetOf({
      name: 'planted',
      share: 1,
      reaches: ['ended', 'never'],
      inputs: text,
      open: () => ({
        check: async (input) => {
          const end = await check(input);
          return end === '' ? [] : [end];
        },
      }),
    });

  it('finds a crash that was planted, makes its input small, and says how to see it again', async () => {
    const crashing = target((input) => {
      if (input.includes('7')) throw new TypeError('planted');
      return 'ended';
    });
    const report = await crashing.run({ seed: 3, inputs: 5_000 });
    expect(report.failure).toMatchObject({ input: '"7"', error: 'planted', seed: 3 });
    const path = report.failure?.path ?? '';
    const again = await crashing.run({ seed: 3, inputs: 1, path });
    expect(again.failure?.input).toBe('"7"');
    expect(faultsOf(report, true).join('\n')).toContain(`--seed 3 --path ${path}`);
  });

  it('finds an amount that passes through a float, which no example of ours shows', async () => {
    const floating = targetOf({
      name: 'float',
      share: 1,
      reaches: ['exact'],
      inputs: numberText,
      open: () => ({
        check(input) {
          const reading = readDecimal(input);
          const digits = reading.ok ? reading.decimal.replace(/\D/g, '').length : 0;
          if (reading.ok && digits > 17 && String(Number(input)) !== reading.decimal) {
            throw new Error('another number');
          }
          return ['exact'];
        },
      }),
    });
    const { failure } = await floating.run({ seed: 3, inputs: 2_000 });
    expect(failure?.error).toBe('another number');
  });

  it('finds what every object inherits changed by an input', async () => {
    const polluting = target((input) => {
      if (input.length > 3)
        Object.defineProperty(Object.prototype, 'planted', { configurable: true });
      return 'ended';
    });
    const { failure } = await polluting.run({ seed: 3, inputs: 100 });
    Reflect.deleteProperty(Object.prototype, 'planted');
    expect(failure?.error).toMatch(/prototype/);
  });

  it('finds an input that ends in nothing, and an end that is never reached', async () => {
    const silent = await target((input) => (input === '' ? '' : 'ended')).run({
      seed: 3,
      inputs: 200,
    });
    expect(silent.failure?.error).toBe('it ended in nothing');
    const report = await target(() => 'ended').run({ seed: 3, inputs: 20 });
    expect(faultsOf(report, true)).toEqual(['planted: no input has ended in: never']);
    expect(faultsOf(report, false)).toEqual([]);
    const strange = await target(() => 'elsewhere').run({ seed: 3, inputs: 20 });
    expect(faultsOf(strange, false)).toEqual(['planted: ends that there are not: elsewhere']);
  });

  it('finds a body that is kept otherwise than it came, and a record without an end', async () => {
    const bench = new Bench(routeOf());
    const body = Buffer.from('{"id":');
    await bench.settled([envelopeOf('d-1', body)]);
    bench.assertKept('billing/dev-1/charges', body);
    const { rows } = bench.ingest.quarantine;
    for (const [key, row] of rows) rows.set(key, { ...row, body: `${String(row.body)} ` });
    expect(() => bench.assertKept('billing/dev-1/charges', body)).toThrow('byte for byte');
    bench.ingest.beforePut = () => Promise.reject(new RetryableError('down'));
    await expect(bench.settled([envelopeOf('d-2', '{')])).rejects.toThrow('no port did');
  });
});
