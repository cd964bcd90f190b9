/** What the stacks of a bridge hold, by CloudFormation: on AWS, or as the local cloud answers it. */
import {
  type CloudFormationClient,
  DescribeStacksCommand,
  paginateDescribeStacks,
  paginateListStackResources,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import { printable, quoted } from '../../core/base/printable.ts';
import { AccessError } from './failures.ts';

export type Outputs = Readonly<Record<string, string>>;

/** The two stacks that every bridge has. */
const PARTS = ['State', 'Ingest'] as const;

export interface StackResource {
  readonly logicalId: string;
  /** E.g. `AWS::Lambda::Function`. */
  readonly type: string;
  /** Its name, or for a queue its URL. */
  readonly physicalId: string;
}

/** `Tollbridge`, `Tollbridge-State` and `Tollbridge-Ingest` all name the bridge of those stacks. */
export function stackPrefixOf(name: string): string {
  return name.replace(/-(State|Ingest|Ops)$/, '');
}

/**
 * Outputs of both stacks together; no name is in both.
 * @throws AccessError that lists the bridges there are
 */
export async function readOutputs(
  client: CloudFormationClient,
  prefix: string,
  where: string,
): Promise<Outputs> {
  const names = PARTS.map((part) => `${prefix}-${part}`);
  const parts = await Promise.all(names.map((name) => findStack(client, name)));
  const missing = names.find((_, at) => parts[at] === undefined);
  if (missing !== undefined) await noSuchStack(client, missing, where);
  return Object.fromEntries(
    parts
      .flatMap((stack) => stack?.Outputs ?? [])
      .map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
  );
}

/** All resources of a stack; none where there is no such stack. */
export async function readResources(
  client: CloudFormationClient,
  stackName: string,
): Promise<readonly StackResource[]> {
  const resources: StackResource[] = [];
  try {
    for await (const page of paginateListStackResources({ client }, { StackName: stackName })) {
      for (const found of page.StackResourceSummaries ?? []) {
        const { LogicalResourceId, ResourceType, PhysicalResourceId } = found;
        if (LogicalResourceId === undefined || ResourceType === undefined) continue;
        const physicalId = PhysicalResourceId ?? '';
        resources.push({ logicalId: LogicalResourceId, type: ResourceType, physicalId });
      }
    }
  } catch (error) {
    if (!isNoStack(error)) throw error;
  }
  return resources;
}

async function findStack(client: CloudFormationClient, name: string): Promise<Stack | undefined> {
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: name }));
    return Stacks?.[0];
  } catch (error) {
    if (isNoStack(error)) return undefined;
    throw error;
  }
}

/** CloudFormation has no error of its own for it. */
function isNoStack(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.name === 'ValidationError' &&
    /does not exist/.test(error.message)
  );
}

async function noSuchStack(
  client: CloudFormationClient,
  name: string,
  where: string,
): Promise<never> {
  const known = await bridges(client);
  throw new AccessError(
    `there is no stack ${quoted(name, 128)} at ${where}; ${known}. Name another with --stack, and on AWS its Region with --region.`,
  );
}

/** Bridges are known by the output that every state stack has. */
async function bridges(client: CloudFormationClient): Promise<string> {
  const names: string[] = [];
  try {
    for await (const page of paginateDescribeStacks({ client }, {})) {
      for (const { StackName = '', Outputs: outputs } of page.Stacks ?? []) {
        const isState = outputs?.some(({ OutputKey }) => OutputKey === 'LedgerTableName');
        if (isState && StackName.endsWith('-State')) names.push(stackPrefixOf(StackName));
      }
    }
  } catch {
    return 'the bridges there are could not be listed (that takes cloudformation:DescribeStacks on all stacks)';
  }
  if (names.length === 0) return 'no bridge is there';
  return `bridges there: ${names.map((name) => printable(name, 128)).join(', ')}`;
}
