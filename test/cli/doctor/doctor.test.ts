/**
 * Goal: the doctor finds each thing that can be wrong, says what to do, and takes nothing that it
 * could not ask for right. Method: a local cloud for what it has, a script of AWS for the rest.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openAccess } from '../../../cli/access/access.ts';
import { doctorCommand, examine } from '../../../cli/doctor/command.ts';
import type { Finding } from '../../../cli/doctor/findings.ts';
import { checkConfig } from '../../../core/config/check.ts';
import { lockOf } from '../../../core/config/lock.ts';
import { formatLock } from '../../../core/config/lock-text.ts';
import type { Route } from '../../../core/config/route.ts';
import { linesOf, runHere } from '../../../tools/clouds/asking-ground.ts';
import { REPAIR_CONFIG, type RepairBench, startRepairBench } from '../repair-fixture.ts';
import { awsError, xmlError } from '../scripted-aws.ts';
import { BRIDGE, type DoctorAws, startDoctorAws } from './doctor-aws.ts';
import { ailsAt } from './doctor-faults.ts';

vi.mock('../../../tollbridge.config.ts', async () => ({
  default: (await import('../repair-fixture.ts')).REPAIR_CONFIG,
}));

let bench: RepairBench;
let aws: DoctorAws;
let lockPath: string;

beforeAll(async () => {
  bench = await startRepairBench();
  aws = await startDoctorAws();
  lockPath = join(mkdtempSync(join(tmpdir(), 'doctor-')), 'lock.json');
  writeFileSync(lockPath, formatLock(lockOf(BRIDGE)));
});
afterAll(async () => {
  await aws.close();
  await bench.close();
});
beforeEach(() => {
  for (const name of Object.keys(process.env))
    if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
  for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
  aws.answer({});
  aws.setClockAhead(0);
});

const url = () => aws.env.AWS_ENDPOINT_URL ?? '';

async function onAws(options: Parameters<typeof examine>[1] = {}): Promise<readonly Finding[]> {
  const access = await openAccess({ region: 'eu-central-1' }, BRIDGE);
  try {
    return await examine(access, { lockPath, ...options });
  } finally {
    access.close();
  }
}

const ails = (findings: readonly Finding[]) =>
  findings
    .filter(({ state }) => state !== 'fine')
    .map(({ state, check, subject, text }) => `${state} ${check} ${subject}: ${text}`);

describe('on AWS', () => {
  it('finds nothing where all is well, having asked for all of it', async () => {
    const findings = await onAws();
    expect(ails(findings)).toEqual([]);
    const checks = [...new Set(findings.map(({ check }) => check))].sort();
    expect(checks).toEqual([
      'TTL',
      'alarms',
      'clock',
      'configuration',
      'data endpoint',
      'dead letters',
      'device policies',
      'lock',
      'queue',
      'queue age',
      'recovery',
      'rule',
      'stack',
      'table',
    ]);
    expect(findings.filter(({ check }) => check === 'rule')).toHaveLength(5);
  });

  it.each(ailsAt('').map(({ name }) => name))('finds %s', async (name) => {
    const ail = ailsAt(url()).find((each) => each.name === name);
    aws.answer(ail?.script ?? {});
    const findings = await onAws();
    const found = findings.filter((each) => ail?.found.test(ails([each])[0] ?? ''));
    expect([ails(findings), found.length]).toEqual([ails(findings), 1]);
    expect(found[0]?.fix).toMatch(ail?.fix ?? '');
  });

  it.each([
    [-301_000, 'wrong', /30[12] s ahead/],
    [45_000, 'watch', /4[56] s behind/],
  ])('finds a clock that is off by %i ms', async (ahead, state, text) => {
    aws.setClockAhead(ahead);
    const [clock] = (await onAws()).filter(({ check }) => check === 'clock');
    expect([clock?.state, clock?.text]).toEqual([state, expect.stringMatching(text)]);
  });

  it.each([
    ['GetTemplate', 'configuration', 'cloudformation:GetTemplate', xmlError],
    ['DescribeAlarms', 'alarms', 'cloudwatch:DescribeAlarms', awsError],
    ['GetMetricStatistics', 'queue age', 'cloudwatch:GetMetricStatistics', awsError],
    ['GetQueueAttributes', 'dead letters', 'sqs:GetQueueAttributes', awsError],
    ['DescribeContinuousBackups', 'recovery', 'dynamodb:DescribeContinuousBackups', awsError],
    ['GET /endpoint', 'data endpoint', 'iot:DescribeEndpoint', awsError],
    ['GET /policies', 'device policies', 'iot:GetPolicy', awsError],
  ] as const)(
    'a missing right to %s is named, and hides no other finding',
    async (operation, check, action, error) => {
      const refusal = error(403, 'AccessDeniedException', 'User: x is not authorized');
      aws.answer({ [operation]: () => refusal });
      const findings = await onAws();
      const unknown = findings.filter(({ state }) => state === 'unknown');
      expect(unknown.map(({ text }) => text)).toContain(
        `${action} is not allowed to these credentials`,
      );
      expect(
        unknown.every((each) => each.check === check || operation === 'GetQueueAttributes'),
      ).toBe(true);
      expect(findings.filter(({ state }) => state === 'wrong')).toEqual([]);
    },
  );

  it('a service that fails is no answer that all is well', async () => {
    aws.answer({ DescribeAlarms: () => awsError(500, 'InternalServiceFault', '\u001b[31mno') });
    const [alarm] = (await onAws()).filter(({ check }) => check === 'alarms');
    expect(alarm).toMatchObject({
      state: 'unknown',
      text: expect.stringMatching(/InternalService/),
    });
    expect(alarm?.text).not.toContain('\u001b');
  });

  it('credentials that have expired are said once', async () => {
    aws.answer({ GetTemplate: () => xmlError(403, 'ExpiredToken', 'the token has expired') });
    await expect(onAws()).rejects.toThrow(/expired/);
  });
});

describe('the lock', () => {
  const lockWith = (text: string) => {
    const path = join(mkdtempSync(join(tmpdir(), 'doctor-')), 'lock.json');
    writeFileSync(path, text);
    return path;
  };
  const finding = async (path: string) =>
    (await onAws({ lockPath: path })).find(({ check }) => check === 'lock');

  it('is looked at beside the configuration', async () => {
    const { charges } = REPAIR_CONFIG.routes;
    const fewer = checkConfig({ routes: charges === undefined ? {} : { charges } });
    const other = {
      ...BRIDGE,
      routes: BRIDGE.routes.map(
        (route) => ({ ...route, device: { from: 'topic-level', level: 1 } }) as Route,
      ),
    };
    expect(await finding(lockWith(formatLock(lockOf(fewer))))).toMatchObject({ state: 'watch' });
    expect(await finding(lockWith(formatLock(lockOf(other))))).toMatchObject({
      state: 'wrong',
      text: expect.stringMatching(/charges\.device was .* and is /),
    });
    expect(await finding(lockWith('{'))).toMatchObject({ state: 'wrong' });
    expect(await finding('/nonexistent/lock')).toMatchObject({
      text: expect.stringMatching(/missing/),
    });
  });
});

describe('on a local cloud', () => {
  const local = async () => {
    const access = await openAccess({ local: bench.bridge.cloud.apiUrl }, BRIDGE);
    try {
      return await examine(access, { lockPath });
    } finally {
      access.close();
    }
  };

  it('looks at what is there, and names what has no counterpart', async () => {
    const findings = await local();
    expect(findings.filter(({ state }) => !['fine', 'none'].includes(state))).toEqual([]);
    const of = (wanted: Finding['state']) =>
      [
        ...new Set(findings.filter(({ state }) => state === wanted).map(({ check }) => check)),
      ].sort();
    expect(of('none')).toEqual([
      'alarms',
      'data endpoint',
      'device policies',
      'queue age',
      'stack',
      'table',
    ]);
    expect(of('fine')).toEqual([
      'clock',
      'configuration',
      'dead letters',
      'lock',
      'queue',
      'rule',
      'table',
    ]);
  });

  it('finds dead letters, takes none of them, and ends with status 1', async () => {
    const { queues } = bench.bridge.cloud;
    const name = [...queues.keys()].find((each) => each.includes('ChargesDeadLetters')) ?? '';
    queues.get(name)?.send('x');
    const { stdout, status } = await runHere(doctorCommand(), ['--json', ...bench.local]);
    const dead = linesOf(stdout).filter(({ check }) => check === 'dead letters');
    expect(dead[0]).toMatchObject({ state: 'wrong', subject: 'charges' });
    expect(status).toBe(1);
    expect(queues.get(name)?.peek()).toMatchObject([{ receiveCount: 0, state: 'visible' }]);
    const csv = await runHere(doctorCommand(), ['--csv', ...bench.local]);
    expect(csv.stdout).toMatch(/^state,check,subject,finding,fix\n/);
    const table = await runHere(doctorCommand(), [...bench.local]);
    expect(table.stdout).toMatch(/dead letters charges: tollbridge dead-letters list/);
    expect(table.stdout).toMatch(/to look at\n$/);
  });

  it('finds a cloud that runs another configuration than that of the working tree', async () => {
    const { charges } = REPAIR_CONFIG.routes;
    if (charges === undefined) throw new Error('the bench bills');
    const changed = checkConfig({
      routes: {
        ...REPAIR_CONFIG.routes,
        charges: { ...charges, topic: 'other/+/charges' },
        added: { ...charges, topic: 'added/+/charges' },
      },
    });
    const access = await openAccess({ local: bench.bridge.cloud.apiUrl }, changed);
    const found = ails(await examine(access, { lockPath })).join('\n');
    access.close();
    expect(found).toMatch(/wrong configuration charges: .*topic/);
    expect(found).toMatch(/wrong rule tollbridge_charges: its SQL/);
    expect(found).toMatch(/wrong configuration added: the route is not deployed/);
    expect(found).toMatch(/wrong queue added: .*not deployed/);
    expect(found).toMatch(/wrong dead letters added: .*not deployed/);
  });
});
