/** Whether every table is there, and kept as money has to be; and whose clock is right. */
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import type { EpochMillis } from '../../core/base/time.ts';
import type { BridgeClient, TableKind } from '../access/access.ts';
import { asked, bad, type Finding, fine, none } from './findings.ts';

const KINDS = ['ledger', 'dedupRecords', 'state', 'quarantine'] as const;
/** What may forget rows; a ledger that forgets bills again. */
const FORGETS: Readonly<Record<TableKind, boolean>> = {
  ledger: false,
  dedupRecords: true,
  state: false,
  quarantine: true,
};

export async function tableFindings(access: BridgeClient): Promise<readonly Finding[]> {
  const found = await Promise.all(
    KINDS.map(async (kind) => {
      const status = await statusFindings(access, kind);
      return access.kind === 'local'
        ? status
        : [
            ...status,
            ...(await backupFindings(access, kind)),
            ...(await lifeFindings(access, kind)),
          ];
    }),
  );
  if (access.kind === 'aws') return found.flat();
  const text = 'protection, recovery to a point in time and TTL are AWS’s; nothing is swept here';
  return [...found.flat(), none({ check: 'table', subject: 'all' }, text)];
}

function statusFindings(access: BridgeClient, kind: TableKind): Promise<readonly Finding[]> {
  const TableName = access.tables[kind];
  const about = { check: 'table', subject: TableName };
  return asked(about, 'dynamodb:DescribeTable', async () => {
    const { Table } = await access.dynamodb.send(new DescribeTableCommand({ TableName }));
    const indexes = Table?.GlobalSecondaryIndexes ?? [];
    const down = indexes.filter(({ IndexStatus }) => IndexStatus !== 'ACTIVE');
    if (Table?.TableStatus !== 'ACTIVE') {
      const fix =
        'UPDATING passes; for anything else see how to restore a table in docs/runbook.md';
      return [bad(about, `its status is ${Table?.TableStatus}`, fix)];
    }
    if (down.length > 0) {
      const names = down.map(({ IndexName, IndexStatus }) => `${IndexName}: ${IndexStatus}`);
      return [bad(about, names.join(', '), 'wait until the index is ACTIVE', 'watch')];
    }
    if (access.kind === 'aws' && Table.DeletionProtectionEnabled !== true) {
      const fix = `aws dynamodb update-table --deletion-protection-enabled --table-name ${TableName}`;
      return [bad(about, 'it could be deleted: deletion protection is off', fix)];
    }
    return [fine(about, 'ACTIVE')];
  });
}

function backupFindings(access: BridgeClient, kind: TableKind): Promise<readonly Finding[]> {
  const TableName = access.tables[kind];
  const about = { check: 'recovery', subject: TableName };
  return asked(about, 'dynamodb:DescribeContinuousBackups', async () => {
    const { ContinuousBackupsDescription } = await access.dynamodb.send(
      new DescribeContinuousBackupsCommand({ TableName }),
    );
    const recovery = ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
    if (recovery?.PointInTimeRecoveryStatus === 'ENABLED') {
      return [fine(about, `to any second of ${recovery.RecoveryPeriodInDays ?? 35} days`)];
    }
    const fix = `npx cdk deploy ${access.stack}-State; what was written until then can never be restored`;
    return [bad(about, 'recovery to a point in time is off', fix)];
  });
}

function lifeFindings(access: BridgeClient, kind: TableKind): Promise<readonly Finding[]> {
  const TableName = access.tables[kind];
  const about = { check: 'TTL', subject: TableName };
  return asked(about, 'dynamodb:DescribeTimeToLive', async () => {
    const { TimeToLiveDescription } = await access.dynamodb.send(
      new DescribeTimeToLiveCommand({ TableName }),
    );
    const isOn = /^ENABL/.test(TimeToLiveDescription?.TimeToLiveStatus ?? '');
    const attribute = TimeToLiveDescription?.AttributeName;
    if (!FORGETS[kind] && isOn) {
      const fix = `aws dynamodb update-time-to-live --table-name ${TableName} --time-to-live-specification Enabled=false,AttributeName=${attribute}`;
      return [bad(about, 'it forgets rows, and a copy of one would be billed again', fix)];
    }
    if (FORGETS[kind] && (!isOn || attribute !== 'expiresAt')) {
      const fix = `npx cdk deploy ${access.stack}-State`;
      return [bad(about, 'rows that have ended are kept, and paid for', fix, 'watch')];
    }
    return [fine(about, isOn ? 'by expiresAt' : 'off: nothing is forgotten')];
  });
}

/** AWS refuses a signature that is five minutes off; the client mends its own, devices do not. */
const SKEW_WRONG_MILLIS = 300_000;
const SKEW_WATCH_MILLIS = 30_000;

/** The clock of this machine beside the Date header of an answer, which counts whole seconds. */
export async function clockFindings(
  access: BridgeClient,
  clock: () => EpochMillis,
): Promise<readonly Finding[]> {
  const about = { check: 'clock', subject: 'this machine' };
  return asked(about, 'dynamodb:DescribeTable', async () => {
    const skew = await skewMillis(access, clock);
    if (skew === undefined) return [none(about, 'the answer says no time')];
    const seconds = Math.round(skew / 1_000);
    const text = `${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} the service`;
    const fix = 'set the clock of this machine, e.g. by NTP: times that it writes are off';
    if (Math.abs(skew) >= SKEW_WRONG_MILLIS) return [bad(about, text, fix)];
    if (Math.abs(skew) >= SKEW_WATCH_MILLIS) return [bad(about, text, fix, 'watch')];
    return [fine(about, seconds === 0 ? 'that of the service' : text)];
  });
}

async function skewMillis(
  { dynamodb, tables }: BridgeClient,
  clock: () => EpochMillis,
): Promise<number | undefined> {
  let date: string | undefined;
  const command = new DescribeTableCommand({ TableName: tables.ledger });
  command.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      const { response } = answer;
      if (typeof response === 'object' && response !== null && 'headers' in response) {
        date = (response.headers as Readonly<Record<string, string>>).date;
      }
      return answer;
    },
    { step: 'deserialize', priority: 'low' },
  );
  const begun = clock();
  await dynamodb.send(command);
  const ended = clock();
  const said = Date.parse(date ?? '');
  if (!Number.isFinite(said)) return undefined;
  // A header cuts the second, so half of one is added.
  return (begun + ended) / 2 - (said + 500);
}
