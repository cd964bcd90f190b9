/**
 * The routes as they are deployed, out of the stack's template: what an operator repairs has to be
 * read by the very route that the function has, not by what a working tree says today.
 */
import { isDeepStrictEqual } from 'node:util';
import { CloudFormationClient, GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import * as z from 'zod';
import type { Route } from '../../core/config/route.ts';
import type { BridgeClient } from './access.ts';
import { AccessError } from './failures.ts';

const functionSchema = z.object({
  Type: z.literal('AWS::Lambda::Function'),
  Properties: z.object({
    Environment: z.object({ Variables: z.object({ ROUTE: z.string() }) }),
  }),
});
const namedSchema = z.looseObject({ name: z.string() });

/** By the route's name: what its function reads as its route. */
export async function deployedRoutes(access: BridgeClient): Promise<ReadonlyMap<string, unknown>> {
  const stacks = access.client((settings) => new CloudFormationClient(settings));
  const { TemplateBody = '' } = await stacks.send(
    new GetTemplateCommand({ StackName: `${access.stack}-Ingest` }),
  );
  const { Resources } = z
    .object({ Resources: z.record(z.string(), z.unknown()) })
    .parse(JSON.parse(TemplateBody));
  return new Map(
    Object.values(Resources).flatMap((resource) => {
      const ingest = functionSchema.safeParse(resource);
      if (!ingest.success) return [];
      const route: unknown = JSON.parse(ingest.data.Properties.Environment.Variables.ROUTE);
      const named = namedSchema.safeParse(route);
      return named.success ? [[named.data.name, route] as const] : [];
    }),
  );
}

/** Names of what differs between a route of the configuration and the deployed one. */
export function differencesOf(route: Route, deployed: unknown): readonly string[] {
  if (typeof deployed !== 'object' || deployed === null) return ['all of it'];
  // As the function gets it: what JSON leaves out is not there.
  const configured = Object.entries(JSON.parse(JSON.stringify(route)));
  const standing = new Map(Object.entries(deployed));
  const differing = configured.flatMap(([name, value]) =>
    isDeepStrictEqual(value, standing.get(name)) ? [] : [name],
  );
  const known = new Set(configured.map(([name]) => name));
  return [...differing, ...[...standing.keys()].filter((name) => !known.has(name))];
}

/**
 * The route of that name, once it is known to be the one that is deployed.
 * @throws AccessError where the configuration says something else
 */
export async function routeInStep(access: BridgeClient, name: string): Promise<Route> {
  const route = access.route(name);
  const deployed = (await deployedRoutes(access)).get(name);
  if (deployed === undefined) {
    throw new AccessError(
      `the route ${name} of tollbridge.config.ts is not deployed at ${access.where}; deploy it first`,
    );
  }
  const differing = differencesOf(route, deployed);
  if (differing.length === 0) return route;
  throw new AccessError(
    `routes.${name} of tollbridge.config.ts is not the one that is deployed at ${access.where} (it differs in ${differing.join(', ')}); ` +
      'deploy it, or use the version of this project that was deployed: nothing is booked by a guess',
  );
}
