/** Schemas of roles and policies, and the words that all schemas share. */
import * as z from 'zod';

/** Accepts a property that has no effect on this machine. The reason is part of the description. */
export function noMeaning(reason: string) {
  return z.unknown().optional().describe(`no meaning here: ${reason}`);
}

export const tags = noMeaning('nobody looks for resources by tag');
export const keyManagement = noMeaning('nothing is encrypted at rest on this machine');
export const oneOrMany = z.union([z.string(), z.array(z.string())]);

/** `Bool` conditions are often written with a real boolean; policies compare text. */
const conditionValue = z.union([
  z.string(),
  z.boolean().transform(String),
  z.number().transform(String),
  z.array(z.string()),
]);

const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: oneOrMany,
  Resource: oneOrMany,
  Condition: z.record(z.string(), z.record(z.string(), conditionValue)).optional(),
});

/** A document attached to an identity (a role, a device): no principals in it. */
export const identityDocument = z.strictObject({
  Version: z.literal('2012-10-17').optional(),
  Statement: z.union([z.array(statementSchema), statementSchema.transform((one) => [one])]),
});

const trustStatement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.literal('Allow'),
  Action: z.literal('sts:AssumeRole'),
  Principal: z.strictObject({ Service: oneOrMany }),
  Condition: z
    .unknown()
    .optional()
    .describe('no meaning here: it keeps other accounts out, and there is one'),
});

const basicExecution = ':iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';
export const role = z.strictObject({
  AssumeRolePolicyDocument: z.strictObject({
    Version: z.literal('2012-10-17').optional(),
    Statement: z.array(trustStatement),
  }),
  ManagedPolicyArns: z
    .array(
      z.string().refine((arn) => arn.endsWith(basicExecution), {
        error: `only …${basicExecution} (it grants logs alone); write other rights as inline statements`,
      }),
    )
    .optional(),
  Policies: z
    .array(z.strictObject({ PolicyName: z.string(), PolicyDocument: identityDocument }))
    .default([]),
  RoleName: z.string().optional(),
  Path: z.string().default('/'),
  Description: noMeaning('text for people'),
  MaxSessionDuration: noMeaning('credentials here do not expire'),
  Tags: tags,
});

export const iamPolicy = z.strictObject({
  PolicyName: z.string(),
  PolicyDocument: identityDocument,
  Roles: z.array(z.string()),
});
