/** Telemetry by Powertools: JSON log lines, and metrics in CloudWatch's embedded metric format. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { METRICS_NAMESPACE } from '../../core/metrics.ts';
import type { Telemetry } from '../../core/ports.ts';

export function createTelemetry(route: string): Telemetry {
  const logger = new Logger({ serviceName: 'tollbridge', persistentKeys: { route } });
  const metrics = new Metrics({
    namespace: METRICS_NAMESPACE,
    serviceName: 'tollbridge',
    defaultDimensions: { route },
  });
  return {
    count: (metric, amount) => {
      if (amount > 0) metrics.addMetric(metric, MetricUnit.Count, amount);
    },
    note: (level, text, fields) => logger[level](text, fields),
    flush: () => metrics.publishStoredMetrics(),
  };
}
