/** The routes of an assembly, as its functions are given them. */
import { type Route, ruleName } from '../../core/config/route.ts';
import { planCloud } from '../assembly/plan.ts';
import { readAssembly } from '../assembly/read-assembly.ts';

/** Routes by the name of their topic rule. */
export type Routes = ReadonlyMap<string, Route>;

export function routesOf(assembly: string): Routes {
  const plan = planCloud(readAssembly(assembly), { endpointAddress: 'localhost' });
  const routes = new Map<string, Route>();
  for (const { environment } of plan.functions) {
    const { ROUTE: text, POWERTOOLS_SERVICE_NAME: name } = environment;
    if (text === undefined || name === undefined) continue;
    const route = JSON.parse(text) as Route;
    routes.set(ruleName({ name }, route), route);
  }
  return routes;
}
