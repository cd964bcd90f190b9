/** The routes of the configuration, for commands that name one. */
import { checkConfig } from '../../core/config/check.ts';
import type { Bridge, Route } from '../../core/config/route.ts';

/** @throws Error with the problems of the configuration */
export async function readBridge(): Promise<Bridge> {
  const { default: config } = await import('../../tollbridge.config.ts');
  return checkConfig(config);
}

/** @throws Error that lists the routes there are, or the problems of the configuration */
export async function findRoute(name: string): Promise<Route> {
  const { routes } = await readBridge();
  const route = routes.find((candidate) => candidate.name === name);
  if (route !== undefined) return route;
  const names = routes.map((candidate) => candidate.name).join(', ');
  throw new Error(`there is no route '${name}' in tollbridge.config.ts; it has: ${names}`);
}
