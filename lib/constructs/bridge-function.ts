import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import {
  ASYNC_AGE_HOURS_MAX,
  ASYNC_RETRIES,
  FUNCTION_MEMORY_MIB,
  FUNCTION_TIMEOUT_SECONDS,
  LOG_RETENTION_DAYS,
} from '../../core/base/limits.ts';
import { bundledCode } from './bundle.ts';

export const LOG_RETENTION: RetentionDays = LOG_RETENTION_DAYS;

/** AWS Lambda, "Asynchronous invocation": what its own queue does with an event. */
interface AsyncInvokeConfig {
  readonly retries: number;
  readonly ageSecondsMax: number;
}

export interface BridgeFunctionProps {
  /** Below `lambda/`, e.g. `ingest/latest.ts`; it exports `handler`. */
  readonly entry: string;
  readonly description: string;
  /**
   * Takes what fails for good when the function is invoked asynchronously.
   * @default - it is dropped, because the device asks again
   */
  readonly deadLetters?: IQueue;
  /**
   * How long an event is tried that was handed over asynchronously.
   * @default - twice more, for six hours
   */
  readonly asyncInvoke?: AsyncInvokeConfig;
  /** Added to the variables that every function has. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Names that the bundler replaces by JSON, for what is longer than the environment may be. */
  readonly constants?: Readonly<Record<string, unknown>>;
}

/** A function of the bridge, with the right to write its own log and none besides. */
export class BridgeFunction extends Construct {
  readonly handler: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: BridgeFunctionProps) {
    super(scope, id);
    const { asyncInvoke = DEFAULT_ASYNC_INVOKE } = props;
    const logGroup = new LogGroup(this, 'Log', {
      retention: LOG_RETENTION,
      // What has to outlive the stack stands in the tables; a log left behind would cost for ever.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // AWS's own basic execution policy would allow writing to every log of the account.
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(this.role);
    this.handler = new LambdaFunction(this, 'Function', {
      // The tested SDK is in it and runs, not the one that the runtime has on that day.
      code: bundledCode(props.entry, props.constants),
      handler: 'index.handler',
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: FUNCTION_MEMORY_MIB,
      timeout: Duration.seconds(FUNCTION_TIMEOUT_SECONDS),
      role: this.role,
      logGroup,
      // Each verdict is a log line under its delivery's id already, and X-Ray's permission cannot
      // be restricted to a resource.
      tracing: Tracing.DISABLED,
      environment: {
        NODE_OPTIONS: '--enable-source-maps',
        POWERTOOLS_SERVICE_NAME: 'tollbridge',
        POWERTOOLS_LOG_LEVEL: 'INFO',
        ...props.environment,
      },
      // A dead-letter queue takes the event as it was, so that it can be redriven into the queue;
      // a destination would wrap it.
      ...(props.deadLetters && { deadLetterQueue: props.deadLetters }),
      retryAttempts: asyncInvoke.retries,
      maxEventAge: Duration.seconds(asyncInvoke.ageSecondsMax),
    });
  }
}

const DEFAULT_ASYNC_INVOKE: AsyncInvokeConfig = {
  retries: ASYNC_RETRIES,
  ageSecondsMax: ASYNC_AGE_HOURS_MAX * 3_600,
};
