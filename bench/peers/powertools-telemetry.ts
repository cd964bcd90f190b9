/** (a) with the logger and the metrics that the bridge's function has as well. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context, SQSEvent } from 'aws-lambda';
import { handler as bare } from './powertools.ts';

const logger = new Logger();
const metrics = new Metrics({ namespace: 'Peer' });

export const handler = async (event: SQSEvent, context: Context) => {
  const answer = await bare(event, context);
  metrics.addMetric('Deliveries', MetricUnit.Count, event.Records.length);
  metrics.publishStoredMetrics();
  if (answer.batchItemFailures.length > 0) logger.warn('deliveries failed', { ...answer });
  return answer;
};
