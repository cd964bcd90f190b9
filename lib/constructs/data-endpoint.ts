import { RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ILogGroup, LogGroup } from 'aws-cdk-lib/aws-logs';
import { AwsCustomResource, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { LOG_RETENTION } from './bridge-function.ts';

/**
 * The account's IoT data endpoint, looked up when the stack is deployed. A function that asked at
 * its own start would have one more thing that can fail before a charge is booked.
 */
export class DataEndpoint extends Construct {
  /** Host name, e.g. `abc-ats.iot.eu-central-1.amazonaws.com`. */
  readonly address: string;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Log', {
      retention: LOG_RETENTION,
      // It says what a deployment asked and was answered; nobody needs it after the stack.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const lookup = new AwsCustomResource(this, 'Lookup', {
      onUpdate: {
        service: 'IoT',
        action: 'describeEndpoint',
        parameters: { endpointType: 'iot:Data-ATS' },
        outputPaths: ['endpointAddress'],
        physicalResourceId: PhysicalResourceId.of('iot:Data-ATS'),
      },
      role: lookupRole(this, logGroup),
      logGroup,
      // Downloading an SDK at deployment would make it depend on npm.
      installLatestAwsSdk: false,
    });
    this.address = lookup.getResponseField('endpointAddress');
  }
}

/** Two rights: to ask for the endpoint, and to write the one log. */
function lookupRole(scope: Construct, logGroup: ILogGroup): Role {
  const role = new Role(scope, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  role.addToPolicy(new PolicyStatement({ actions: ['iot:DescribeEndpoint'], resources: ['*'] }));
  logGroup.grantWrite(role);
  acknowledge(
    role,
    'AwsSolutions-IAM5[Resource::*]',
    'iot:DescribeEndpoint acts on no resource, so IAM accepts no ARN for it; it reads one host name.',
  );
  return role;
}
