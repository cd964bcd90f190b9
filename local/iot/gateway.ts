/** What messages come in by: the rules, and the broker, embedded or outside, that feeds them. */
import type { Clock } from '../../core/base/time.ts';
import { createDeviceLevelOf, filterOf } from '../assembly/device-level.ts';
import type { CloudPlan } from '../assembly/plan.ts';
import { type OpenDevices, openDevices } from '../certificates/device-access.ts';
import { seededChance } from '../chance.ts';
import type { Faults, InboundMessage, Observer } from '../contracts.ts';
import type { Scheduler } from '../timers.ts';
import { createIotBroker, type IotBroker } from './broker.ts';
import { createOutsideBroker } from './outside-broker.ts';
import { createRulesEngine, type RulesEngine } from './rules-engine.ts';

export interface GatewayOptions {
  readonly plan: CloudPlan;
  readonly deliver: Parameters<typeof createRulesEngine>[0]['deliver'];
  readonly host?: string;
  readonly mqttPort: number;
  readonly mqttsPort?: number;
  readonly brokerUrl?: string;
  readonly dataDir?: string;
  readonly seed: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly faults: () => Faults;
  readonly observe: Observer;
}

export interface Gateway {
  readonly rules: RulesEngine;
  readonly broker: IotBroker;
  /** Undefined without a listener with TLS. */
  readonly devices: OpenDevices | undefined;
}

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { plan, deliver, clock, faults, observe, scheduler, seed, brokerUrl } = options;
  const { accountId, region } = plan.environment;
  const rules = createRulesEngine({
    rules: plan.rules,
    deliver,
    faults,
    chance: seededChance(seed),
    observe,
    accountId,
    delay: (millis) => new Promise((resolve) => void scheduler.after(millis, resolve)),
  });
  const common = {
    accept: (message: InboundMessage) => rules.accept(message),
    clock,
    observe,
    faults,
    chance: seededChance(seed + 3),
  };
  if (brokerUrl !== undefined) {
    const filters = plan.rules.map(filterOf);
    const deviceLevelOf = createDeviceLevelOf(plan);
    return {
      rules,
      devices: undefined,
      broker: await createOutsideBroker({ ...common, url: brokerUrl, filters, deviceLevelOf }),
    };
  }
  const { mqttsPort: port, dataDir } = options;
  const policies = plan.iotPolicies;
  const devices =
    port === undefined ? undefined : await openDevices({ port, dataDir, policies, clock });
  const broker = await createIotBroker({
    ...common,
    ...(devices !== undefined && { tls: devices.tls }),
    port: options.mqttPort,
    host: options.host ?? '127.0.0.1',
    policies: policies.map((policy) => policy.document),
    region,
    accountId,
  });
  return { rules, broker, devices };
}
