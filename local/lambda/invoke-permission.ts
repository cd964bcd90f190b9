/** Resource policies of functions: which service may invoke them, and on whose behalf. */
import type { PermissionPlan } from '../assembly/plan.ts';
import { arnMatches, patternOf } from '../iot/policy-pattern.ts';

export interface InvokeRequest {
  readonly functionName: string;
  /** The calling service, e.g. `iot.amazonaws.com`. */
  readonly principal: string;
  readonly sourceArn: string;
  readonly sourceAccount: string;
}

/** Whether one of the template's `AWS::Lambda::Permission` resources lets the service in. */
export function mayInvoke(permissions: readonly PermissionPlan[], request: InvokeRequest): boolean {
  return permissions.some(
    (permission) =>
      permission.functionName === request.functionName &&
      permission.principal === request.principal &&
      (permission.sourceArn === undefined || arnLike(permission.sourceArn, request.sourceArn)) &&
      (permission.sourceAccount === undefined ||
        permission.sourceAccount === request.sourceAccount),
  );
}

/** Lambda compares the source ARN with `ArnLike`: each part may hold wildcards. */
function arnLike(text: string, arn: string): boolean {
  const pattern = patternOf(text, new Map());
  return typeof pattern !== 'string' && arnMatches(pattern, arn);
}
