/** A peer's function in a process of its own: it reads its tables and endpoints where it is loaded. */
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { say, taskOf } from '../harness/program.ts';
import type { CountedPeer } from './bookers.ts';

type Handler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

const LOADERS: Readonly<Record<CountedPeer, () => Promise<{ handler: Handler }>>> = {
  powertools: () => import('../peers/powertools.ts'),
  transaction: () => import('../peers/transaction.ts'),
  'get-put': () => import('../peers/get-put.ts'),
};

/** As much of it as is asked for. */
const context = {
  awsRequestId: 'request',
  functionName: 'charges-ingest',
  getRemainingTimeInMillis: () => 30_000,
} as Context;

const { handler } = await LOADERS[taskOf<CountedPeer>()]();
process.on('message', async (event: SQSEvent) => {
  try {
    await say({ failed: (await handler(event, context)).batchItemFailures.length });
  } catch (error) {
    await say({ failed: event.Records.length, error: String(error) });
  }
});
await say('ready');
