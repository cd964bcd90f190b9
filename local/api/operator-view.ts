/** What operators may read of a running cloud: its plan, and what its functions logged. */
import type { CloudPlan } from '../assembly/plan.ts';
import type { Journal } from '../lambda/journal.ts';
import type { OperatorView } from './operator-requests.ts';

export function operatorView(planOf: () => CloudPlan | undefined, journal: Journal): OperatorView {
  return {
    stacks() {
      const plan = planOf();
      if (plan === undefined) return undefined;
      const queueUrls = new Map(plan.queues.map(({ name, url }) => [name, url]));
      return {
        ...plan.environment,
        outputs: plan.outputs,
        resources: plan.resources.map(({ name, ...resource }) => ({
          ...resource,
          // CloudFormation's physical id of a queue is its URL.
          physicalId: resource.type === 'AWS::SQS::Queue' ? (queueUrls.get(name) ?? name) : name,
        })),
      };
    },
    logs(logGroupName) {
      const plan = planOf();
      const functions = plan?.functions.filter((each) => each.logGroupName === logGroupName) ?? [];
      return functions.flatMap(({ name }) => journal.read(name));
    },
  };
}
