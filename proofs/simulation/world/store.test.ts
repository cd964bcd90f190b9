/** The simulated store is held to the contracts that DynamoDB's counterparts are held to. */
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../core/base/time.ts';
import { dynamoEngine, type Engine } from '../../../tools/stores/engines.ts';
import { dedupRecordsContract } from '../../contract/suites/dedup-records.ts';
import { ledgerContract } from '../../contract/suites/ledger.ts';
import { releasesContract } from '../../contract/suites/releases.ts';
import { stateContract } from '../../contract/suites/state.ts';
import { Chance } from '../chance.ts';
import { History } from '../check/history.ts';
import { Faults } from '../faults.ts';
import { Clockwork } from './clockwork.ts';
import { holds, updated } from './expressions.ts';
import type { Shared } from './shared.ts';
import { type StoreCommand, Tables } from './tables.ts';

async function simulatedEngine(): Promise<Engine> {
  const chance = new Chance(7);
  const clockwork = new Clockwork(chance);
  const shared: Shared = {
    ...{ chance, clockwork, faults: new Faults([]) },
    history: new History(() => clockwork.now),
    // Before every row's end: here the contract itself sweeps.
    clock: () => epochMillis(0),
  };
  const tables = new Tables(shared, 'promptly');
  const send = async (command: StoreCommand | QueryCommand) => {
    if (!(command instanceof QueryCommand)) return tables.answer(command, 0);
    const wanted = command.input.ExpressionAttributeValues?.[':period']?.S;
    const found = tables.items('ledger').filter(({ accountPeriod }) => accountPeriod?.S === wanted);
    const sortKey = ({ occurrence }: (typeof found)[number]) => occurrence?.S ?? '';
    return { Items: found.toSorted((one, other) => (sortKey(one) < sortKey(other) ? -1 : 1)) };
  };
  return dynamoEngine({
    client: { send } as unknown as DynamoDBClient,
    tables: {
      ledger: 'ledger',
      dedupRecords: 'dedupRecords',
      state: 'state',
      quarantine: 'quarantine',
    },
    close: async () => {},
  });
}

ledgerContract('the simulated store', simulatedEngine);
dedupRecordsContract('the simulated store', simulatedEngine);
stateContract('the simulated store', simulatedEngine);
releasesContract('the simulated store', simulatedEngine);

describe('the expressions of the simulated store', () => {
  const names = { names: { '#n': 'n' }, values: { ':one': { N: '1' }, ':nine': { N: '9' } } };

  it('bind AND closer than OR, and parentheses closer than both', () => {
    const item = { n: { N: '5' } };
    expect(holds('#n > :one OR #n < :one AND #n > :nine', item, names)).toBe(true);
    expect(holds('(#n > :one OR #n < :one) AND #n > :nine', item, names)).toBe(false);
  });

  it('compare numbers as numbers, and hold nothing of an attribute that is not there', () => {
    expect(holds('#n < :nine', { n: { N: '10' } }, names)).toBe(false);
    expect(holds('#n < :nine', {}, names)).toBe(false);
    expect(holds('attribute_not_exists(#n)', undefined, names)).toBe(true);
  });

  it('read every operand of an update before they change any', () => {
    const update = 'SET #n = if_not_exists(#n, :nine) ADD tries :one';
    expect(updated(update, { pk: { S: 'p' } }, undefined, names)).toEqual({
      ...{ pk: { S: 'p' }, n: { N: '9' }, tries: { N: '1' } },
    });
    const old = { pk: { S: 'p' }, n: { N: '1' }, tries: { N: '4' } };
    expect(updated(update, {}, old, names)).toEqual({ ...old, tries: { N: '5' } });
  });

  it('refuse what they cannot read, so that no clause is passed over', () => {
    expect(() => updated('SET #n = list_append(#n, :one)', {}, {}, names)).toThrow('not all');
    expect(() => holds('#n BETWEEN :one AND :nine', {}, names)).toThrow();
  });
});
