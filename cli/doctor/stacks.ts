/** What is deployed, beside what the working tree says: stacks, routes and the lock. */
import { readFileSync } from 'node:fs';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { compareLock, hasAdditions } from '../../core/config/lock.ts';
import { LockFileError, parseLock } from '../../core/config/lock-text.ts';
import type { Bridge } from '../../core/config/route.ts';
import type { BridgeClient } from '../access/access.ts';
import { deployedRoutes, differencesOf } from '../access/deployed-routes.ts';
import { asked, bad, type Finding, fine, none } from './findings.ts';

const DEPLOY = 'npx cdk deploy --all';

/** Whether the last deployment of each stack went well. */
export async function stackFindings(access: BridgeClient): Promise<readonly Finding[]> {
  if (access.kind === 'local') {
    return [
      none({ check: 'stack', subject: access.stack }, 'nothing is deployed here but started'),
    ];
  }
  const stacks = access.client((settings) => new CloudFormationClient(settings));
  const found = await Promise.all(
    (['State', 'Ingest', 'Ops'] as const).map((part) => {
      const name = `${access.stack}-${part}`;
      return asked({ check: 'stack', subject: name }, 'cloudformation:DescribeStacks', () =>
        stackFinding(stacks, name),
      );
    }),
  );
  return found.flat();
}

async function stackFinding(
  stacks: CloudFormationClient,
  name: string,
): Promise<readonly Finding[]> {
  const about = { check: 'stack', subject: name };
  let status: string;
  let isProtected: boolean;
  try {
    const { Stacks } = await stacks.send(new DescribeStacksCommand({ StackName: name }));
    status = Stacks?.[0]?.StackStatus ?? 'unknown';
    isProtected = Stacks?.[0]?.EnableTerminationProtection ?? false;
  } catch (error) {
    if (!(error instanceof Error && /does not exist/.test(error.message))) throw error;
    return [bad(about, 'it is not deployed, so nobody is told when something goes wrong', DEPLOY)];
  }
  const findings = [statusFinding(about, status)];
  if (!name.endsWith('-State') || isProtected) return findings;
  const protect = `aws cloudformation update-termination-protection --enable-termination-protection --stack-name ${name}`;
  return [...findings, bad(about, 'it could be deleted: termination protection is off', protect)];
}

function statusFinding(about: { check: string; subject: string }, status: string): Finding {
  if (/FAILED|DELETE/.test(status)) {
    const fix = `look at its events (aws cloudformation describe-stack-events --stack-name ${about.subject}), mend what failed, deploy again`;
    return bad(about, `its status is ${status}`, fix);
  }
  if (/ROLLBACK/.test(status)) {
    const text = `its last deployment was rolled back (${status})`;
    return bad(about, text, `look at its events, then: ${DEPLOY}`, 'watch');
  }
  if (status.endsWith('IN_PROGRESS')) {
    return bad(about, `it is being deployed (${status})`, 'wait, and look again', 'watch');
  }
  return fine(about, status);
}

/** Whether each route runs as it is configured. */
export function routeFindings(access: BridgeClient): Promise<readonly Finding[]> {
  const about = { check: 'configuration', subject: 'tollbridge.config.ts' };
  const again = access.kind === 'local' ? 'end npm start and start it again' : DEPLOY;
  return asked(about, 'cloudformation:GetTemplate', async () => {
    const deployed = await deployedRoutes(access);
    const { routes } = access.bridge;
    const found = routes.map((route): Finding => {
      const one = { check: 'configuration', subject: route.name };
      const standing = deployed.get(route.name);
      if (standing === undefined) return bad(one, 'the route is not deployed', again);
      const differing = differencesOf(route, standing);
      if (differing.length === 0) return fine(one, 'deployed as configured');
      return bad(one, `deployed otherwise than configured: ${differing.join(', ')}`, again);
    });
    const names = new Set(routes.map(({ name }) => name));
    const left = [...deployed.keys()].filter((name) => !names.has(name));
    return [
      ...found,
      ...left.map((name) =>
        bad(
          { check: 'configuration', subject: name },
          'the route is deployed, and not in tollbridge.config.ts',
          'use the version of this project that was deployed; only if the route is to go, deploy',
        ),
      ),
    ];
  });
}

/** Whether the configuration still is the one that ids and rows were made by. */
export function lockFindings(bridge: Bridge, path: string): readonly Finding[] {
  const about = { check: 'lock', subject: 'tollbridge.lock.json' };
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    const fix = 'take it back from version control, or make it anew: npx cdk synth; then commit it';
    return [bad(about, 'it is missing, so no change of ids would be refused', fix)];
  }
  try {
    const lock = parseLock(text);
    const changes = compareLock(bridge, lock);
    if (changes.length > 0) {
      const all = changes.map(({ name, pinned, now }) => `${name} was ${pinned} and is ${now}`);
      const fix = 'take the change back, or read what it does and accept it by name: npx cdk synth';
      return [bad(about, all.join('; '), fix)];
    }
    if (hasAdditions(bridge, lock)) {
      return [bad(about, 'it lacks new routes', 'npx cdk synth; then commit it', 'watch')];
    }
    return [fine(about, 'in step with tollbridge.config.ts')];
  } catch (error) {
    if (!(error instanceof LockFileError)) throw error;
    return [bad(about, error.message, 'take it back from version control')];
  }
}
