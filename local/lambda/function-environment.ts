/** The environment variables of a function's process: the template's, Lambda's own, no others. */
import type { FunctionPlan } from '../assembly/plan.ts';

export interface EnvironmentOptions {
  readonly region: string;
  /** Base URL of the local API, e.g. `http://127.0.0.1:4566`. */
  readonly apiUrl: string;
  /** Names the execution environment, so that the API knows who calls. */
  readonly accessKeyId: string;
  readonly folder: string;
}

/** Names that AWS does not let a template set. */
const reserved =
  /^(_HANDLER|_X_AMZN_TRACE_ID|AWS_DEFAULT_REGION|AWS_REGION|AWS_EXECUTION_ENV|AWS_LAMBDA_.*|AWS_ACCESS_KEY|AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR)$/;

/** The names of the function's variables that AWS would refuse. */
export function reservedVariables(plan: FunctionPlan): readonly string[] {
  return Object.keys(plan.environment).filter((name) => reserved.test(name));
}

export function environmentOf(
  plan: FunctionPlan,
  options: EnvironmentOptions,
): Readonly<Record<string, string>> {
  return {
    LANG: 'en_US.UTF-8',
    // Lambda says ":UTC", which Node.js on other systems does not understand.
    TZ: 'UTC',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    ...plan.environment,
    _HANDLER: plan.handler,
    LAMBDA_TASK_ROOT: options.folder,
    AWS_EXECUTION_ENV: `AWS_Lambda_${plan.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: plan.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(plan.memoryMegabytes),
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: plan.logGroupName,
    AWS_LAMBDA_LOG_STREAM_NAME: options.accessKeyId,
    ...(plan.logFormat === 'JSON'
      ? { AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: plan.logLevel ?? 'INFO' }
      : {}),
    AWS_REGION: options.region,
    AWS_DEFAULT_REGION: options.region,
    AWS_ACCESS_KEY_ID: options.accessKeyId,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: 'local',
    // These two come last: the local API speaks http on loopback, while the template's own values
    // (an https endpoint of AWS IoT) are those of the cloud.
    AWS_ENDPOINT_URL_DYNAMODB: options.apiUrl,
    AWS_ENDPOINT_URL_IOT_DATA_PLANE: options.apiUrl,
  };
}
