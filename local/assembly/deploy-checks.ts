/**
 * What AWS checks between resources at deployment, and when a mapping or a destination is made. The
 * local cloud makes the same checks, so that nothing runs here which cannot be deployed.
 */
import { assertSupported, isAllowed } from '../iot/policy.ts';
import { DeploymentError } from './errors.ts';
import type { CloudPlan, FunctionPlan, MappingPlan } from './plan.ts';

/** Lambda must be able to do this with a queue that it polls. */
const pollerActions = [
  'sqs:ReceiveMessage',
  'sqs:DeleteMessage',
  'sqs:GetQueueAttributes',
] as const;

/** Throws `DeploymentError` with all problems at once. */
export function checkPlan(plan: CloudPlan): void {
  const problems = [
    ...policyProblems(plan),
    ...plan.mappings.flatMap((mapping) => mappingProblems(plan, mapping)),
    ...plan.functions.flatMap((one) => destinationProblems(plan, one)),
  ];
  if (problems.length === 0) return;
  throw new DeploymentError(`AWS would not deploy this assembly:\n- ${problems.join('\n- ')}`);
}

function policyProblems(plan: CloudPlan): readonly string[] {
  const named = [
    ...plan.iotPolicies.map(({ name, document }) => ({ name: `IoT policy ${name}`, document })),
    ...[...plan.roles.values()].flatMap((role) =>
      role.documents.map((document) => ({ name: `role ${role.name}`, document })),
    ),
  ];
  return named.flatMap(({ name, document }) => {
    try {
      assertSupported(document);
      return [];
    } catch (cause) {
      return [`${name}: ${cause instanceof Error ? cause.message : String(cause)}`];
    }
  });
}

function mappingProblems(plan: CloudPlan, mapping: MappingPlan): readonly string[] {
  const queue = plan.queues.find((one) => one.arn === mapping.queueArn);
  const target = plan.functions.find((one) => one.name === mapping.functionName);
  if (queue === undefined) {
    return [`an event source mapping reads ${mapping.queueArn}, which is no queue of the assembly`];
  }
  if (target === undefined) {
    return [
      `an event source mapping feeds ${mapping.functionName}, which is no function of the assembly`,
    ];
  }
  const problems = lacking(plan, target, pollerActions, queue.arn);
  if (queue.visibilitySeconds >= target.timeoutSeconds) return problems;
  return [
    ...problems,
    `queue ${queue.name} has a visibility time-out of ${queue.visibilitySeconds} s, less than the ${target.timeoutSeconds} s of function ${target.name}; make it at least 6 times as long`,
  ];
}

function destinationProblems(plan: CloudPlan, target: FunctionPlan): readonly string[] {
  const arns = [target.deadLetterArn, target.onFailureArn].filter((arn) => arn !== undefined);
  return arns.flatMap((arn) => {
    const queue = plan.queues.find((one) => one.arn === arn);
    if (queue !== undefined) return lacking(plan, target, ['sqs:SendMessage'], queue.arn);
    return [
      `function ${target.name} sends its failures to ${arn}, which is no queue of the assembly`,
    ];
  });
}

function lacking(
  plan: CloudPlan,
  target: FunctionPlan,
  actions: readonly string[],
  resource: string,
): readonly string[] {
  const documents = plan.roles.get(target.roleArn)?.documents ?? [];
  const denied = actions.filter(
    (action) => !isAllowed(documents, { action, resource, variables: {} }),
  );
  if (denied.length === 0) return [];
  return [`the role of function ${target.name} lacks ${denied.join(', ')} on ${resource}`];
}
