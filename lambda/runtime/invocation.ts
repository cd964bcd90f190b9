import type { Context } from 'aws-lambda';

/** What a function needs of Lambda's context. */
export type Invocation = Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>;
