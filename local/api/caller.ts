/** Who calls the local API, and what the caller's role allows. */
import type { IncomingMessage } from 'node:http';
import type { PolicyDocument } from '../contracts.ts';
import { createDecisions } from '../iot/decisions.ts';
import { isAllowed } from '../iot/policy.ts';

export type ApiCaller =
  /** An operator on this machine, who may do everything, as the owner of the account. */
  | { readonly kind: 'owner' }
  | {
      readonly kind: 'function';
      readonly accessKeyId: string;
      readonly functionName: string;
      readonly roleName: string;
      readonly documents: readonly PolicyDocument[];
    }
  /** A key in the form of a function's that was not given in this run. */
  | { readonly kind: 'stranger' };

/** The key that a request is signed with; undefined when it is not signed. */
export function accessKeyOf(request: IncomingMessage): string | undefined {
  const { authorization = '' } = request.headers;
  return /^AWS4-HMAC-SHA256\s.*\bCredential=([^/,\s]+)\//.exec(authorization)?.[1];
}

/** On AWS calls come over https: statements that ask for it hold. */
const variables = { 'aws:SecureTransport': 'true' };
const decisions = createDecisions();

/** Whether a role's policies allow a call. */
export function roleAllows(
  documents: readonly PolicyDocument[],
  { action, resource }: { readonly action: string; readonly resource: string },
): boolean {
  return decisions.of(documents, `${action} ${resource}`, () =>
    isAllowed(documents, { action, resource, variables }),
  );
}

/** The first of the wanted rights that the caller lacks, in AWS's words; undefined if none is. */
export function denialOf(
  caller: ApiCaller,
  accountId: string,
  wanted: readonly { readonly action: string; readonly resource: string }[],
): string | undefined {
  if (caller.kind !== 'function') return undefined;
  const lacking = wanted.find((want) => !roleAllows(caller.documents, want));
  if (lacking === undefined) return undefined;
  const user = `arn:aws:sts::${accountId}:assumed-role/${caller.roleName}/${caller.functionName}`;
  return `User: ${user} is not authorized to perform: ${lacking.action} on resource: ${lacking.resource} because no identity-based policy allows the ${lacking.action} action`;
}
