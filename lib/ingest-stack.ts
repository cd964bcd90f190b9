/** All that books messages. It holds no money for long, and can be deployed again at any time. */
import { Annotations, CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { recoveryWarnings } from '../core/config/recovery.ts';
import type { Bridge } from '../core/config/route.ts';
import { pascalCase } from '../core/config/route.ts';
import { DataEndpoint } from './constructs/data-endpoint.ts';
import { DevicePolicy } from './constructs/device-policy.ts';
import { Handshake } from './constructs/handshake.ts';
import { RouteIngest } from './constructs/route-ingest.ts';
import type { StateStack } from './state-stack.ts';

export interface IngestStackProps extends StackProps {
  readonly bridge: Bridge;
  readonly state: StateStack;
}

export class IngestStack extends Stack {
  /** By the route's name. */
  readonly routes: ReadonlyMap<string, RouteIngest>;
  readonly handshake: Handshake;

  constructor(scope: Construct, id: string, props: IngestStackProps) {
    super(scope, id, props);
    const { bridge, state } = props;
    // Warnings, for such a route works: only what takes the error action's path has to be booked
    // by a person, and whoever deploys should have read that once.
    for (const warning of recoveryWarnings(bridge)) {
      Annotations.of(this).addWarningV2('tollbridge:recovery-id', warning);
    }
    const { address } = new DataEndpoint(this, 'DataEndpoint');
    const { policyNames } = new DevicePolicy(this, 'DevicePolicy', { bridge });
    // A scope of their own, so that no route's name can meet another construct's.
    const routes = new Construct(this, 'Routes');
    this.routes = new Map(
      bridge.routes.map((route) => [
        route.name,
        new RouteIngest(routes, pascalCase(route.name), {
          bridge,
          route,
          messages: state.messagesOf(route),
          quarantine: state.quarantine,
          dataEndpoint: address,
        }),
      ]),
    );
    this.handshake = new Handshake(this, 'Handshake', { bridge, state, dataEndpoint: address });
    for (const [name, route] of this.routes) this.routeOutputs(pascalCase(name), route);
    this.output(
      'DevicePolicyNames',
      policyNames.join(','),
      "Attach each of them to each device's certificate",
    );
    this.output('DataEndpointAddress', address, 'The host that devices connect to');
  }

  private routeOutputs(name: string, route: RouteIngest): void {
    this.output(`${name}RuleName`, route.ruleName, 'The topic rule');
    this.output(
      `${name}BasicIngestPrefix`,
      `$aws/rules/${route.ruleName}/`,
      "Put before the route's topic it saves the message charge",
    );
    this.output(`${name}QueueUrl`, route.queue.queueUrl, 'Where dead letters are redriven to');
    this.output(`${name}DeadLettersUrl`, route.deadLetters.queueUrl, 'What failed for good');
  }

  private output(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description });
  }
}
