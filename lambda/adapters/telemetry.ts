/**
 * Telemetry: JSON log lines, and metrics in CloudWatch's embedded metric format. What went wrong is
 * written by Powertools, at once. What comes by the hundred in a batch, its copies and counts, is
 * kept until the end of the batch and written together, each a line of its own: Lambda tells lines
 * apart by their ends. A batch that is ended before has told nobody that it is done, comes
 * again, and says it then.
 */
import { Logger, LogLevelThreshold } from '@aws-lambda-powertools/logger';
import { type Clock, systemClock, toIso } from '../../core/base/time.ts';
import { type Metric, metricDimensions, unitOf } from '../../core/operations/metrics.ts';
import type { Telemetry } from '../../core/tables/ports.ts';
import { metricLines } from './embedded-metrics.ts';
import { variable } from './environment.ts';

/** A pipe takes 64 KiB at once; what is left over would wait in a process that Lambda freezes. */
const PIECE_LENGTH = 16_384;

/**
 * The service is the bridge's name, from POWERTOOLS_SERVICE_NAME: two bridges of one account may
 * have routes of the same name, and must not add up.
 */
export function createTelemetry(route: string, clock: Clock = systemClock): Telemetry {
  const service = variable('POWERTOOLS_SERVICE_NAME');
  const dimensions = metricDimensions(service, route);
  // Made when there is something to say: most functions end without, and all of them start.
  let made: Logger | undefined;
  const logger = () => {
    made ??= new Logger({ persistentKeys: { route } });
    return made;
  };
  const values = new Map<Metric, number[]>();
  const lines: string[] = [];
  let length = 0;
  const write = () => {
    if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
    lines.length = 0;
    length = 0;
  };
  return {
    count: (metric, amount) => {
      const isCount = unitOf(metric) === 'Count';
      if (isCount && amount === 0) return;
      const known = values.get(metric);
      if (known === undefined) values.set(metric, [amount]);
      // One sum for each batch: a value for each delivery would be a list of ones in the log.
      else if (isCount) known[0] = (known[0] ?? 0) + amount;
      else known.push(amount);
    },
    note: (level, text, fields) => {
      if (level !== 'info') return logger()[level](text, fields);
      if (logger().level > LogLevelThreshold.INFO) return;
      // The fields that the lines of Powertools begin with, in their order.
      const timestamp = toIso(clock());
      const line = JSON.stringify({
        level: 'INFO',
        message: text,
        timestamp,
        service,
        route,
        ...fields,
      });
      lines.push(line);
      length += line.length;
      if (length > PIECE_LENGTH) write();
    },
    flush: () => {
      lines.push(...metricLines(dimensions, values, clock()));
      values.clear();
      write();
    },
  };
}
