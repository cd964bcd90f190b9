/** What the telemetry writes to the output, line by line, as Lambda hands it to CloudWatch. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { COPY_NOTE } from '../../core/operations/copy-note.ts';
import { METRIC } from '../../core/operations/metrics.ts';
import { VALUES_MAX } from '../../lambda/adapters/embedded-metrics.ts';
import { createTelemetry } from '../../lambda/adapters/telemetry.ts';
import { NOW } from '../../tools/handlers/samples.ts';

const copy = { device: 'meter-1', id: 'c-1', deliveryId: 'd-2' };
let written: string[];

beforeEach(() => {
  written = [];
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'tollbridge');
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'INFO');
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      written.push(String(chunk));
      return true;
    });
  }
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const telemetryOf = () => createTelemetry('charges', () => NOW);
const linesOf = (texts: readonly string[]): readonly Record<string, unknown>[] =>
  texts.flatMap((text) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line)),
  );

it('gives each copy a line of its own, with the fields that operators look for', () => {
  const telemetry = telemetryOf();
  telemetry.note('info', COPY_NOTE, copy);
  telemetry.note('info', COPY_NOTE, { ...copy, deliveryId: 'd-3' });
  telemetry.flush();
  const common = {
    level: 'INFO',
    message: 'copy',
    timestamp: new Date(NOW).toISOString(),
    service: 'tollbridge',
    route: 'charges',
  };
  expect(linesOf(written)).toEqual([
    { ...common, ...copy },
    { ...common, ...copy, deliveryId: 'd-3' },
  ]);
});

it('keeps a line whole, whatever stands in the name of a device', () => {
  const device = 'a\n{"message":"copy","device":"b"}\u2028';
  const telemetry = telemetryOf();
  telemetry.note('info', COPY_NOTE, { ...copy, device });
  telemetry.flush();
  expect(linesOf(written)).toMatchObject([{ device }]);
});

it('writes copies and metrics of a batch in one piece at its end, and never again', () => {
  const telemetry = telemetryOf();
  telemetry.note('info', COPY_NOTE, copy);
  telemetry.count(METRIC.duplicate, 1);
  telemetry.count(METRIC.duplicate, 2);
  expect(written).toEqual([]);
  telemetry.flush();
  telemetry.flush();
  expect(written).toHaveLength(1);
  expect(written[0]?.endsWith('}\n')).toBe(true);
  expect(linesOf(written)).toMatchObject([
    { message: 'copy' },
    { _aws: { Timestamp: NOW }, service: 'tollbridge', route: 'charges', Duplicate: 3 },
  ]);
});

it('writes what a pipe takes at once, so that nothing waits when the function is frozen', () => {
  const telemetry = telemetryOf();
  for (let n = 0; n < 999; n++)
    telemetry.note('info', COPY_NOTE, { ...copy, deliveryId: `d-${n}` });
  telemetry.count(METRIC.duplicate, 999);
  telemetry.flush();
  expect(Math.max(...written.map((text) => text.length))).toBeLessThan(32_768);
  const lines = linesOf(written);
  expect(lines).toHaveLength(1_000);
  expect(lines.at(-1)).toMatchObject({ Duplicate: 999 });
});

it('goes on in further lines with more lags than CloudWatch reads from one, and counts once', () => {
  const telemetry = telemetryOf();
  const lags = Array.from({ length: 2 * VALUES_MAX + 1 }, (_, lag) => lag);
  for (const lag of lags) telemetry.count(METRIC.bookingLag, lag);
  telemetry.count(METRIC.accepted, lags.length);
  telemetry.flush();
  const lines = linesOf(written);
  expect(lines).toHaveLength(3);
  expect(lines.flatMap(({ BookingLag }) => BookingLag)).toEqual(lags);
  expect(lines.filter(({ BookingLag }) => [BookingLag].flat().length > VALUES_MAX)).toEqual([]);
  expect(lines.filter(({ Accepted }) => Accepted !== undefined)).toHaveLength(1);
  // A metric that a line defines has to stand in it, or CloudWatch drops the line.
  for (const line of lines) {
    const [{ Metrics = [] } = {}] = (line as { _aws: EmfHead })._aws.CloudWatchMetrics;
    expect(Metrics.filter(({ Name }) => line[Name] === undefined)).toEqual([]);
  }
});

interface EmfHead {
  readonly CloudWatchMetrics: readonly { readonly Metrics: readonly { readonly Name: string }[] }[];
}

it('writes what went wrong at once, with the error', () => {
  telemetryOf().note('error', 'delivery failed', { deliveryId: 'd-1', error: new Error('down') });
  expect(linesOf(written)).toMatchObject([
    {
      level: 'ERROR',
      message: 'delivery failed',
      service: 'tollbridge',
      route: 'charges',
      deliveryId: 'd-1',
      error: { name: 'Error', message: 'down' },
    },
  ]);
});

it('logs no copies where the level is above INFO, and counts them all the same', () => {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'WARN');
  const telemetry = telemetryOf();
  telemetry.note('info', COPY_NOTE, copy);
  telemetry.note('warn', 'quarantined', { deliveryId: 'd-1' });
  telemetry.count(METRIC.duplicate, 1);
  telemetry.flush();
  expect(linesOf(written)).toMatchObject([{ level: 'WARN' }, { Duplicate: 1 }]);
});

it('is not made without the name of the service: two bridges would add up', () => {
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', '');
  expect(telemetryOf).toThrow('POWERTOOLS_SERVICE_NAME');
});
