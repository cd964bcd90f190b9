/** Every metric that a template shows or alarms on, however it is written down. */
import { Template } from 'aws-cdk-lib/assertions';
import { checkConfig } from '../../core/config/check.ts';
import type { Config } from '../../core/config/route.ts';
import config from '../../tollbridge.config.ts';
import { watchedConfig } from '../../tools/handlers/watched-config.ts';
import {
  otherConfig,
  type Properties,
  resourcesOf,
  templatesOf,
  threeConfig,
} from './templates.ts';

/** Bridges that differ in what can be watched, each with its templates. */
export const bridges = [
  { name: 'tollbridge', written: config as Config },
  { name: 'water', written: otherConfig },
  { name: 'fleet', written: threeConfig },
  { name: 'watched', written: watchedConfig },
].map(({ name, written }) => {
  const built = templatesOf(written);
  return { name, bridge: checkConfig(written), built, template: Template.fromStack(built.ops) };
});

export function bridgeOf(wanted: string) {
  const found = bridges.find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`no bridge is named ${wanted}`);
  return found;
}

export interface Shown {
  /** The alarm or the widget. */
  readonly by: string;
  readonly namespace: string;
  readonly name: string;
  /** Those whose value is not known are left as undefined: queries and searches sum over them. */
  readonly dimensions: Readonly<Record<string, string | undefined>>;
  readonly statistic: string;
}

export function alarmsIn(template: Template): readonly Properties[] {
  return resourcesOf(template, 'AWS::CloudWatch::Alarm').map(({ properties }) => properties);
}

export interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: Properties;
}

export function widgetsIn(template: Template): readonly Widget[] {
  const found = template.findResources('AWS::CloudWatch::Dashboard');
  const bodies = Object.values(found).map(({ Properties: { DashboardBody } }) => DashboardBody);
  const [, parts]: [string, readonly unknown[]] = bodies[0]['Fn::Join'];
  return JSON.parse(parts.map(nameOf).join('')).widgets;
}

/** What is only known when it is deployed, as a name that stands inside JSON. */
function nameOf(part: unknown): string {
  return typeof part === 'string' ? part : JSON.stringify(part).replaceAll(/[^\w:-]/g, '');
}

export function metricsIn(template: Template): readonly Shown[] {
  return [
    ...alarmsIn(template).flatMap(alarmMetrics),
    ...widgetsIn(template)
      .filter(({ type }) => type === 'metric')
      .flatMap(widgetMetrics),
  ];
}

interface Named {
  readonly Name: string;
  readonly Value: string;
}

function alarmMetrics(alarm: Properties): readonly Shown[] {
  const by = String(alarm.AlarmName);
  if (alarm.MetricName !== undefined) {
    return [shown(by, alarm, String(alarm.Statistic ?? alarm.ExtendedStatistic))];
  }
  return (alarm.Metrics as readonly Properties[]).flatMap(({ MetricStat, Expression }) => {
    if (MetricStat === undefined) return queried(by, String(Expression));
    const { Metric, Stat } = MetricStat as { Metric: Properties; Stat: string };
    return [shown(by, Metric, Stat)];
  });
}

function shown(by: string, metric: Properties, statistic: string): Shown {
  const dimensions = (metric.Dimensions as readonly Named[]).map(({ Name, Value }) => [
    Name,
    Value,
  ]);
  return {
    by,
    namespace: String(metric.Namespace),
    name: String(metric.MetricName),
    dimensions: Object.fromEntries(dimensions),
    statistic,
  };
}

function widgetMetrics({ properties }: Widget): readonly Shown[] {
  const by = String(properties.title);
  return (properties.metrics as readonly (readonly unknown[])[]).flatMap((line) => {
    const [namespace, name, ...rest] = line;
    if (typeof namespace !== 'string') {
      return queried(by, String((namespace as Properties).expression));
    }
    const options = rest.at(-1) as Properties;
    const pairs = rest.slice(0, -1).map(String);
    const dimensions = Object.fromEntries(
      pairs.flatMap((key, index) => (index % 2 === 0 ? [[key, pairs[index + 1]]] : [])),
    );
    const statistic = String(options.stat ?? 'Average');
    return [{ by, namespace, name: String(name), dimensions, statistic }];
  });
}

const QUERY =
  /^SELECT SUM\("(?<name>[^"]+)"\) FROM SCHEMA\("(?<namespace>[^"]+)", (?<schema>[^)]+)\)(?: WHERE (?<key>\w+) = '(?<value>[^']+)')?$/;
const SEARCH =
  /^SEARCH\('\{(?<namespace>[^,]+),(?<schema>[^}]+)\} MetricName="(?<name>[^"]+)" (?<key>\w+)="(?<value>[^"]+)"', 'Sum', \d+\)$/;

/** A query or a search; an expression over ids stands for the metrics beside it. */
function queried(by: string, expression: string): readonly Shown[] {
  const groups = (QUERY.exec(expression) ?? SEARCH.exec(expression))?.groups;
  if (groups === undefined) {
    if (/^100 \* \([\w +]+\) \/ \([\w +]+\)$/.test(expression)) return [];
    throw new Error(`${by} has an expression that this test cannot read: ${expression}`);
  }
  const { namespace = '', name = '', schema = '', key, value } = groups;
  const dimensions = schema.split(',').map((each) => {
    const dimension = each.trim();
    return [dimension, dimension === key ? value : undefined] as const;
  });
  return [{ by, namespace, name, dimensions: Object.fromEntries(dimensions), statistic: 'Sum' }];
}
