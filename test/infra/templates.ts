/** Templates to assert on, and how to read them. */
import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { checkConfig } from '../../core/config/check.ts';
import { type Bridge, type Config, defineConfig } from '../../core/config/route.ts';
import { contentHash, payload, timestamp, topicLevel } from '../../core/config/sources.ts';
import { type BridgeApp, buildApp } from '../../lib/build-app.ts';

const CDK_JSON = new URL('../../cdk.json', import.meta.url);

/**
 * The app as the CDK's command line would make it. Bundling is left out: the local cloud's tests
 * run the bundle. So is the CDK's own template check, 9 MB of WebAssembly that take seconds:
 * `npx cdk synth` in `cdk-synth.programs.ts` runs it.
 */
export function testApp(): App {
  const { context } = JSON.parse(readFileSync(CDK_JSON, 'utf8'));
  return new App({
    builtinCloudFormationValidation: false,
    context: { ...context, 'aws:cdk:bundling-stacks': [] },
  });
}

export interface Templates extends BridgeApp {
  readonly stateTemplate: Template;
  readonly ingestTemplate: Template;
}

const made = new Map<string, Templates>();

/** To be read; whoever changes a construct builds an app of its own. */
export function templatesOf(config: Config): Templates {
  const bridge = checkConfig(config);
  const key = JSON.stringify(bridge);
  const templates = made.get(key) ?? synthesize(bridge);
  made.set(key, templates);
  return templates;
}

function synthesize(bridge: Bridge): Templates {
  const built = buildApp(bridge, testApp());
  return {
    ...built,
    stateTemplate: Template.fromStack(built.state),
    ingestTemplate: Template.fromStack(built.ingest),
  };
}

const entry = {
  account: payload('account'),
  amount: payload('litres'),
  unit: 'l',
  occurredAt: payload('at'),
};

/** A second bridge in the account, with whatever the first does not use. */
export const otherConfig = defineConfig({
  name: 'water',
  routes: {
    meters: {
      guarantee: 'exactly-once',
      topic: 'sites/+/meters/+/readings/#',
      device: topicLevel(4),
      id: payload('id'),
      entry,
      feed: 'direct',
      receipts: 'none',
    },
    pumps: {
      guarantee: 'exactly-once',
      topic: 'pumps/+/charges',
      device: topicLevel(2),
      id: payload('id'),
      entry,
      forward: 'clean/{topic}',
      trustTopicLevel: 'the gateway of each site publishes for its pumps',
    },
  },
});

/** A third one, with a route of each guarantee. */
export const threeConfig = defineConfig({
  name: 'fleet',
  routes: {
    charges: {
      guarantee: 'exactly-once',
      topic: 'billing/+/charges',
      device: topicLevel(2),
      id: payload('id'),
      entry,
      forward: 'booked/{device}/charges',
    },
    events: {
      guarantee: 'deduplicated',
      topic: 'events/+/#',
      device: topicLevel(2),
      id: contentHash('at', 'type'),
      time: payload('at'),
      window: { days: 7 },
      forward: 'deduplicated/{topic}',
    },
    status: {
      guarantee: 'latest',
      topic: 'status/+',
      device: topicLevel(2),
      version: timestamp('at'),
    },
  },
});

/** A resource as the template has it. */
export interface Found {
  readonly id: string;
  readonly type: string;
  readonly resource: Readonly<Record<string, unknown>>;
  /** Properties with intrinsic functions written as text: `<LogicalId>`, `<LogicalId.Arn>`. */
  readonly properties: Properties;
}

export type Properties = Readonly<Record<string, unknown>>;

export function resourcesOf(template: Template, type?: string): readonly Found[] {
  return Object.entries(template.toJSON().Resources as Record<string, Properties>)
    .map(([id, resource]) => ({
      id,
      type: String(resource.Type),
      resource,
      properties: plain(resource.Properties ?? {}) as Properties,
    }))
    .filter((found) => type === undefined || found.type === type);
}

/** Exactly one resource of a type whose logical id matches. */
export function resourceOf(template: Template, type: string, id = /^/): Found {
  const found = resourcesOf(template, type).filter((each) => id.test(each.id));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new Error(`${found.length} resources of ${type} match ${id}; exactly one is needed`);
}

/** The functions of routes; beside them stand the handshake's and the CDK's own for the look-up. */
export function handlersOf(template: Template): readonly Found[] {
  return resourcesOf(template, 'AWS::Lambda::Function').filter(({ id }) => /^Routes/.test(id));
}

/** The sorted list of types with how many there are of each. */
export function inventoryOf(template: Template): Readonly<Record<string, number>> {
  const inventory: Record<string, number> = {};
  for (const { type } of resourcesOf(template)) inventory[type] = (inventory[type] ?? 0) + 1;
  return inventory;
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [only] = entries;
  if (only !== undefined && entries.length === 1) {
    const [name, argument] = only;
    if (name === 'Ref') return `<${argument}>`;
    if (name === 'Fn::GetAtt') return `<${argument[0]}.${argument[1]}>`;
    if (name === 'Fn::ImportValue') return `<import ${argument}>`;
    if (name === 'Fn::Join') return argument[1].map(plain).join(argument[0]);
    if (name.startsWith('Fn::')) return `<${name} ${JSON.stringify(argument)}>`;
  }
  return Object.fromEntries(entries.map(([key, item]) => [key, plain(item)]));
}

/** One statement of any policy in a template, trust and resource policies included. */
export interface Statement {
  /** Logical id of the resource that holds it. */
  readonly holder: string;
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

export function statementsOf(template: Template): readonly Statement[] {
  return resourcesOf(template).flatMap((found) =>
    documentsIn(found.properties).flatMap((statements) =>
      statements.map((statement) => ({
        holder: found.id,
        effect: String(statement.Effect),
        actions: [statement.Action].flat().map(String),
        resources: [statement.Resource ?? []].flat().map(String),
      })),
    ),
  );
}

/** Every list of statements, however deep it stands. */
function documentsIn(value: unknown): readonly (readonly Properties[])[] {
  if (Array.isArray(value)) return value.flatMap(documentsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === 'Statement' ? [item as Properties[]] : documentsIn(item),
  );
}
