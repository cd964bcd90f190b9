import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Accepts one finding of cdk-nag on one construct. It stands beside the resource that it is about.
 *
 * @param id e.g. `AwsSolutions-IAM5[Resource::*]`
 * @param reason why it is right here
 */
export function acknowledge(scope: IConstruct, id: string, reason: string): void {
  Validations.of(scope).acknowledge({ id, reason });
}
