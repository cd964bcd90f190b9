/** Checks a configuration: every problem is found in one pass. */
import { RUNBOOK } from '../operations/alarms.ts';
import { checkRoute } from './check-route.ts';
import { checkTogether } from './check-together.ts';
import { ConfigError } from './problem.ts';
import { isObject, read, type Sound } from './read.ts';
import {
  type AlarmSettings,
  type AlarmsConfig,
  type Bridge,
  type Config,
  DEFAULTS,
} from './route.ts';
import { configSchema, secondsOf } from './schema.ts';

/**
 * The bridge that a configuration describes, defaults filled in.
 * @throws ConfigError with every problem
 */
export function checkConfig(config: unknown): Bridge {
  const written = isObject(config) && isObject(config.routes) ? config.routes : {};
  const schema = configSchema(Object.keys(written));
  const { sound, problems } = read<Config>(schema, [], config);
  const all = [...problems];
  // What is no object has no routes either, and hears of both.
  if (!isObject(config)) all.push(...read(schema, [], {}).problems);
  const routes = Object.entries(written).map(([name, route]) => checkRoute(all, name, route));
  all.push(...checkTogether(routes));
  if (all.length > 0) throw new ConfigError(all);
  return {
    name: sound?.name ?? DEFAULTS.name,
    ...(sound?.alarms !== undefined && { alarms: alarmsOf(sound.alarms) }),
    routes,
  };
}

function alarmsOf({ email, runbook, silence }: Sound<AlarmsConfig>): AlarmSettings {
  const spans = Object.entries(silence ?? {});
  return {
    email: email ?? null,
    runbook: runbook ?? RUNBOOK,
    silenceSeconds: Object.fromEntries(
      spans.flatMap(([name, span]) => (span === undefined ? [] : [[name, secondsOf(span)]])),
    ),
  };
}
