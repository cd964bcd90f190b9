/** The bridge under measurement: the real template and bundles on the local cloud, no faults. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { checkConfig } from '../../core/config/check.ts';
import { type Bridge, defineConfig, ruleName } from '../../core/config/route.ts';
import { buildApp } from '../../lib/build-app.ts';
import { startCloud } from '../../local/cloud.ts';
import { noFaults } from '../../local/contracts.ts';
import config from '../../tollbridge.config.ts';

const BRIDGE = 'tollbridge';

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

/** `charges` as it is delivered, `charged` with receipts at QoS 1, `gathers` with batches that wait. */
function bridgeWith(waitSeconds: number): Bridge {
  return checkConfig(
    defineConfig({
      name: BRIDGE,
      routes: {
        charges: routeNamed('charges'),
        charged: { ...routeNamed('charged'), receipts: 1 },
        gathers: { ...routeNamed('gathers'), batch: { waitSeconds } },
      },
    }),
  );
}

export function topicOf(route: RouteName, device: string, basicIngest: boolean): string {
  const prefix = basicIngest ? `$aws/rules/${ruleName({ name: BRIDGE }, { name: route })}/` : '';
  return `${prefix}billing/${device}/${route}`;
}

export interface Assembly {
  readonly folder: string;
  remove(): void;
}

/** @param windowSeconds how long the queue of `gathers` waits for a batch of ten to be full */
export function synthesizeBridge(windowSeconds: number): Assembly {
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-wire-'));
  // Template validation costs seconds and is done by `npx cdk synth` and the tests.
  process.env.CDK_VALIDATION = 'false';
  const bridge = bridgeWith(windowSeconds);
  buildApp(bridge, new App({ outdir: folder, analyticsReporting: false })).app.synth();
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
