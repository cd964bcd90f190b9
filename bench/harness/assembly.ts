/** The template that the benches run on the local cloud: that of the project, with six routes. */
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { AttributeType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { checkConfig } from '../../core/config/check.ts';
import { defineConfig } from '../../core/config/route.ts';
import { buildApp } from '../../lib/build-app.ts';
import config from '../../tollbridge.config.ts';

/**
 * `charges` is as delivered, `singles` invokes the function for each delivery, `hundreds` has
 * batches of a hundred. `quiet`, `quietSingles` and `quietHundreds` are the same without a forward,
 * which is a publication for each message that no batch can save.
 */
type RouteName = 'charges' | 'singles' | 'hundreds' | 'quiet' | 'quietSingles' | 'quietHundreds';

/** AWS has no larger batches than ten without a window; a batch that is full does not wait. */
const hundreds = { messages: 100, waitSeconds: 1 } as const;

function routeNamed(name: RouteName) {
  const { charges } = config.routes;
  if (charges?.guarantee !== 'exactly-once') {
    throw new Error("tollbridge.config.ts has no route 'charges' with a ledger; it is measured");
  }
  return { ...charges, topic: `billing/+/${name}`, forward: `booked/{device}/${name}` };
}

function quietRoute(name: RouteName) {
  const { forward: _, ...route } = routeNamed(name);
  return route;
}

/**
 * Peers run in the place of the function of `charges`: its role may do to the tables what they
 * need, and its environment names a table for their markers, which is theirs alone. None of it
 * changes what the bridge does.
 */
export function synthesizeBench(workshop: string): string {
  const folder = join(workshop, 'assembly');
  // Template validation costs seconds and is done by `npx cdk synth` and the tests.
  process.env.CDK_VALIDATION = 'false';
  const bridge = checkConfig(
    defineConfig({
      routes: {
        charges: routeNamed('charges'),
        singles: { ...routeNamed('singles'), feed: 'direct' },
        hundreds: { ...routeNamed('hundreds'), batch: hundreds },
        quiet: quietRoute('quiet'),
        quietSingles: { ...quietRoute('quietSingles'), feed: 'direct' },
        quietHundreds: { ...quietRoute('quietHundreds'), batch: hundreds },
      },
    }),
  );
  const app = new App({ outdir: folder, analyticsReporting: false });
  const { ingest, state } = buildApp(bridge, app);
  const charges = ingest.routes.get('charges')?.handler;
  const markers = new TableV2(state, 'Markers', {
    partitionKey: { name: 'pk', type: AttributeType.STRING },
  });
  charges?.addEnvironment('MARKERS_TABLE', markers.tableName);
  charges?.role?.addToPrincipalPolicy(
    new PolicyStatement({
      actions: [
        'dynamodb:GetItem',
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'dynamodb:DeleteItem',
      ],
      resources: [state.ledger.tableArn, markers.tableArn],
    }),
  );
  app.synth();
  return folder;
}
