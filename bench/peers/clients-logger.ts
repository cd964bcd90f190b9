/** The two clients, and the logger that the bridge's function has as well. */
import { Logger } from '@aws-lambda-powertools/logger';
import { handler as bare } from './clients.ts';

const logger = new Logger();

export const handler = async (): Promise<void> => {
  await bare();
  logger.warn('deliveries failed');
};
