/** AWS IoT's `GetTopicRule`: `GET /rules/{name}`, for operators who look whether a rule is right. */
import type { RuleAction, TopicRule } from '../contracts.ts';
import { type ApiAnswer, dataPlaneError, found } from './answers.ts';

export function isRulePath(url: string): boolean {
  return /^\/rules\/[^/?]+(?=\?|$)/.test(url);
}

export function handleRule(
  rules: readonly TopicRule[],
  method: string | undefined,
  url: string,
): ApiAnswer {
  const name = /^\/rules\/([^/?]+)/.exec(url)?.[1] ?? '';
  if (method !== 'GET') {
    const message = `The local cloud knows GetTopicRule alone (GET), not ${method} on rules.`;
    return dataPlaneError(405, 'InvalidRequestException', message);
  }
  const rule = rules.find((each) => each.name === name);
  // AWS does not tell a rule that is not there from one that the caller may not read.
  if (rule === undefined) {
    return dataPlaneError(
      401,
      'UnauthorizedException',
      `Access to topic rule '${name}' was denied`,
    );
  }
  return found({
    ruleArn: rule.arn,
    rule: {
      ruleName: rule.name,
      sql: rule.sql,
      awsIotSqlVersion: rule.sqlVersion,
      // A rule that is disabled in the template is not made here.
      ruleDisabled: false,
      actions: rule.actions.map(actionOf),
      ...(rule.errorAction !== undefined && { errorAction: actionOf(rule.errorAction) }),
    },
  });
}

function actionOf(action: RuleAction): object {
  switch (action.kind) {
    case 'sqs':
      return { sqs: { queueUrl: action.queueUrl, roleArn: action.roleArn, useBase64: false } };
    case 'lambda':
      return { lambda: { functionArn: action.functionArn } };
  }
}
