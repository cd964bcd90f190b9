/**
 * What operators ask of what is deployed: queues (Amazon SQS), rules (AWS IoT) and templates
 * (CloudFormation's GetTemplate).
 */
import type { Assembly } from '../assembly/read-assembly.ts';
import type { TopicRule } from '../contracts.ts';
import type { Queue } from '../sqs/queue.ts';
import { type ApiAnswer, sentence } from './answers.ts';
import type { ApiCaller } from './caller.ts';
import { handleQueues, queueTargetPrefix } from './queue-requests.ts';
import { handleRule, isRulePath } from './rule-requests.ts';

/** Each is undefined while the cloud is starting. */
export interface DeployedView {
  readonly queues: () => ReadonlyMap<string, Queue> | undefined;
  readonly rules: () => readonly TopicRule[] | undefined;
  readonly stacks: Assembly['stacks'];
}

export interface DeployedRequest {
  readonly method: string | undefined;
  readonly url: string;
  readonly target: string;
  readonly body: Buffer;
}

export function isDeployedRequest({ method, url, target }: Omit<DeployedRequest, 'body'>): boolean {
  return (method === 'POST' && target.startsWith(queueTargetPrefix)) || isRulePath(url);
}

export function handleDeployed(
  { queues, rules }: DeployedView,
  caller: ApiCaller,
  accountId: string,
  { method, url, target, body }: DeployedRequest,
): ApiAnswer {
  const isQueue = target.startsWith(queueTargetPrefix);
  const [theQueues, theRules] = [queues(), rules()];
  if (theQueues === undefined || theRules === undefined) {
    return sentence(503, 'The local cloud is still starting.');
  }
  if (isQueue) {
    const operation = target.slice(queueTargetPrefix.length);
    return handleQueues(theQueues, { caller, accountId, operation, body });
  }
  // No role of a template allows its functions to read rules.
  if (caller.kind !== 'owner') {
    return sentence(403, 'The local API answers this to operators only.');
  }
  return handleRule(theRules, method, url);
}

/** The answer to GetTemplate; undefined for any other form, or a stack that is not here. */
export function templateAnswer({ stacks }: DeployedView, body: Buffer): ApiAnswer | undefined {
  const form = new URLSearchParams(body.toString());
  if (form.get('Action') !== 'GetTemplate') return undefined;
  const stack = stacks.find(({ name }) => name === form.get('StackName'));
  if (stack === undefined) return undefined;
  const text = JSON.stringify(stack.template).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return {
    status: 200,
    headers: { 'content-type': 'text/xml' },
    body: Buffer.from(
      '<GetTemplateResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">' +
        `<GetTemplateResult><TemplateBody>${text}</TemplateBody></GetTemplateResult></GetTemplateResponse>`,
    ),
  };
}
