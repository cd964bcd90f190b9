/**
 * Checks a configuration, however it was written: TypeScript's types end where a value comes from
 * JSON, a cast or plain JavaScript. Every problem is found in one pass.
 */
import { checkAlarms } from './check-alarms.ts';
import { checkRoute } from './check-route.ts';
import { checkTogether } from './check-together.ts';
import { ConfigError } from './problem.ts';
import { Problems, quote } from './problems.ts';
import type { Bridge } from './route.ts';

/**
 * The bridge that a configuration describes, defaults filled in.
 * @throws ConfigError with every problem
 */
export function checkConfig(config: unknown): Bridge {
  const problems = new Problems();
  const bridge = checkBridge(problems, config);
  const all = [...problems.found, ...checkTogether(bridge.routes)];
  if (all.length > 0) throw new ConfigError(all);
  return bridge;
}

function checkBridge(problems: Problems, config: unknown): Bridge {
  const fields = problems.object('config', config, 'defineConfig({ routes: { … } })');
  problems.onlyKeys('config', fields, ['name', 'alarms', 'routes']);
  const routes = problems.object('routes', fields.routes, 'routes: { charges: { … } }');
  if (Object.keys(routes).length === 0) {
    const fix = "add e.g. charges: { guarantee: 'exactly-once', … }";
    problems.add('routes', 'no route', 'at least one route', fix);
  }
  const alarms = checkAlarms(problems, fields.alarms, Object.keys(routes));
  return {
    name: checkName(problems, fields.name),
    ...(alarms !== undefined && { alarms }),
    routes: Object.entries(routes).map(([name, route]) => checkRoute(problems, name, route)),
  };
}

export const BRIDGE_NAME = /^[a-z][a-z0-9]{0,19}$/;

function checkName(problems: Problems, name: unknown): string {
  if (name === undefined) return 'tollbridge';
  if (typeof name === 'string' && BRIDGE_NAME.test(name)) return name;
  problems.add(
    'name',
    quote(name),
    'a lower-case letter, then up to 19 lower-case letters or digits',
    "leave it out for 'tollbridge', or write e.g. name: 'tollbridgetest'",
  );
  return 'tollbridge';
}
