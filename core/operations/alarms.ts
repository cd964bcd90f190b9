/** The alarms of a bridge: their names, what they say, and where to read on. */

import type { Bridge, Route } from '../config/route.ts';
import { guaranteeOf } from '../guarantees/index.ts';
import { TABLE_LABELS, type TableName } from '../tables/schema.ts';
import { ALARM_KINDS, type AlarmScope, type AlarmWhat } from './alarm-kinds.ts';

/** Where the runbook stands unless the configuration gives an address. */
export const RUNBOOK = 'docs/runbook.md';

/** An alarm of one bridge. */
export interface BridgeAlarm {
  /** `<bridge>-<subject>-<what>`, which stays the same through every deployment. */
  readonly name: string;
  readonly what: AlarmWhat;
  /** The route's name, the table's, `handshake` or `broker`. */
  readonly subject: string;
}

/** Every alarm that a bridge has, in the order of the list above within each subject. */
export function alarmsOf(bridge: Bridge): readonly BridgeAlarm[] {
  const make = (subject: string, what: AlarmWhat, label = subject): BridgeAlarm => ({
    name: `${bridge.name}-${label}-${what}`,
    what,
    subject,
  });
  return [
    ...bridge.routes.flatMap((route) =>
      kindsIn('route')
        .filter((what) => CONDITIONS[what]?.(route, bridge) !== false)
        .map((what) => make(route.name, what)),
    ),
    ...tablesOf(bridge).flatMap((table) =>
      kindsIn('table').map((what) => make(table, what, TABLE_LABELS[table])),
    ),
    ...kindsIn('handshake').map((what) => make('handshake', what)),
    ...kindsIn('broker').map((what) => make('broker', what)),
  ];
}

/** What CloudWatch mails: how bad it is, what it means, and where to read on. */
export function alarmDescription(what: AlarmWhat, runbook: string): string {
  const { severity, meaning } = ALARM_KINDS[what];
  return `[${severity}] ${meaning} ${runbookSection(what, runbook)}`;
}

/** When an alarm fires, as the runbook has it: how bad, at what figure, and what silence means. */
export function alarmRule(what: AlarmWhat): string {
  const kind = ALARM_KINDS[what];
  const { threshold, unit, datapoints, periods, periodSeconds, missing, missingWhy } = kind;
  const when =
    what === 'no-deliveries'
      ? 'none for as long as `alarms.silence` says for the route'
      : `${threshold} ${unit} or more, in ${datapoints} of ${periods} periods of ${periodSeconds} s`;
  return `**${kind.severity}** · ${when} · missing data: ${missing}, for ${missingWhy}`;
}

/** The section of an alarm in the runbook. */
export function runbookSection(what: AlarmWhat, runbook: string): string {
  return `${runbook}#${what}`;
}

/** The tables that the routes of a bridge write to. */
export function tablesOf({ routes }: Pick<Bridge, 'routes'>): readonly TableName[] {
  return [
    ...new Set<TableName>([...routes.map((route) => guaranteeOf(route).table), 'quarantine']),
  ];
}

function kindsIn(scope: AlarmScope): readonly AlarmWhat[] {
  const whats = Object.keys(ALARM_KINDS) as readonly AlarmWhat[];
  return whats.filter((what) => ALARM_KINDS[what].scope === scope);
}

/** An alarm on what cannot happen would be paid for and would never say anything. */
const CONDITIONS: Readonly<Partial<Record<AlarmWhat, (route: Route, bridge: Bridge) => boolean>>> =
  {
    'no-deliveries': ({ name }, { alarms }) => Object.hasOwn(alarms?.silenceSeconds ?? {}, name),
    unforwardable: ({ forward }) => forward !== null,
    unverified: (route) =>
      route.guarantee === 'deduplicated' &&
      route.onStoreDown === 'forward' &&
      route.forward !== null,
    'wrong-device': ({ trustTopicLevel }) => trustTopicLevel === null,
    'receipts-lost': ({ receipts }) => receipts !== 'none',
    'device-clocks': (route) => route.guarantee !== 'deduplicated' || route.time !== null,
  };
