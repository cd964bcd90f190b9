/** The one account, and the names and ARNs of what is in it. */

export const localRegion = 'us-east-1';
export const localAccountId = '000000000000';
export const partition = 'aws';
export const urlSuffix = 'amazonaws.com';

/** Where a deployment is: stacks that name an account or a Region keep theirs. */
export interface Environment {
  readonly region: string;
  readonly accountId: string;
}

/** `arn:aws:SERVICE:REGION:ACCOUNT:REST` */
export function arnOf(environment: Environment, service: string, rest: string): string {
  return `arn:${partition}:${service}:${environment.region}:${environment.accountId}:${rest}`;
}

/** IAM is global: its ARNs have no Region. */
export function roleArn(environment: Environment, path: string, name: string): string {
  return `arn:${partition}:iam::${environment.accountId}:role${path}${name}`;
}

export function queueUrl(environment: Environment, name: string): string {
  return `https://sqs.${environment.region}.${urlSuffix}/${environment.accountId}/${name}`;
}
