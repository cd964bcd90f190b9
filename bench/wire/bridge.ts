/** The bridge under measurement: the real template and bundles on the local cloud, no faults. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { CfnEventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { checkConfig } from '../../core/config/check.ts';
import { defineConfig } from '../../core/config/route.ts';
import { buildApp } from '../../lib/build-app.ts';
import { startCloud } from '../../local/cloud.ts';
import { noFaults } from '../../local/types.ts';
import config from '../../tollbridge.config.ts';

/** Of equal length, so that the topic of one has as many bytes as that of another. */
export type RouteName = 'charges' | 'charged' | 'gathers';

function routeNamed(name: RouteName) {
  const { charges } = config.routes;
  if (charges?.guarantee !== 'exactly-once') {
    throw new Error(
      "tollbridge.config.ts has no route 'charges' with a ledger; this is measured on it",
    );
  }
  return { ...charges, topic: `billing/+/${name}`, forward: `booked/{device}/${name}` };
}

/** `charges` as it is delivered, `charged` with receipts at QoS 1, `gathers` with a batching window. */
const bridge = checkConfig(
  defineConfig({
    routes: {
      charges: routeNamed('charges'),
      charged: { ...routeNamed('charged'), receipts: 1 },
      gathers: routeNamed('gathers'),
    },
  }),
);

export function topicOf(route: RouteName, device: string, basicIngest: boolean): string {
  const prefix = basicIngest ? `$aws/rules/${bridge.name}_${route}/` : '';
  return `${prefix}billing/${device}/${route}`;
}

export interface Assembly {
  readonly folder: string;
  remove(): void;
}

/**
 * @param windowSeconds how long the queue of `gathers` waits for a batch of ten to be full; the
 *   bridge as delivered sets no such window on any queue
 */
export function synthesizeBridge(windowSeconds: number): Assembly {
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-wire-'));
  // Template validation costs seconds and is done by `npx cdk synth` and the tests.
  process.env.CDK_VALIDATION = 'false';
  const { app, ingest } = buildApp(bridge, new App({ outdir: folder, analyticsReporting: false }));
  const mappings = ingest.routes
    .get('gathers')
    ?.node.findAll()
    .filter((construct) => construct instanceof CfnEventSourceMapping);
  if (mappings?.length !== 1) throw new Error('the route gathers has no queue to set a window on');
  for (const mapping of mappings) mapping.maximumBatchingWindowInSeconds = windowSeconds;
  app.synth();
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface RunningBridge {
  /** Of the broker. */
  readonly port: number;
  close(): Promise<void>;
}

/** @param brokerUrl an MQTT 5 broker in place of the embedded one, which speaks 3.1.1 alone */
export async function startBridge(assembly: Assembly, brokerUrl?: string): Promise<RunningBridge> {
  const cloud = await startCloud({
    assembly: assembly.folder,
    mqttPort: 0,
    apiPort: 0,
    seed: 7,
    speed: 1,
    faults: noFaults,
    observe: () => {},
    ...(brokerUrl === undefined ? {} : { brokerUrl }),
  });
  return {
    port: cloud.mqttPort,
    async close() {
      await cloud.idle();
      await cloud.close();
    },
  };
}
