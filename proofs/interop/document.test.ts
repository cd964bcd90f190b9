/** Goal: docs/interop.md keeps its words and has every client's row, whoever writes its tables. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cases, probes } from './clients/clients.ts';
import { type ClientRun, cellsOf, clientsTable, DOCUMENT, withTable } from './document.ts';

const text = readFileSync(DOCUMENT, 'utf8');

/** The rows of the table of clients, as objects by the names of their columns. */
function documented(): readonly Readonly<Record<string, string>>[] {
  const [head = [], ...rows] = cellsOf(text, 'clients');
  return rows.map((row) => Object.fromEntries(head.map((column, at) => [column, row[at] ?? ''])));
}

describe('docs/interop.md', () => {
  it('has one row for each client, on each broker, version of MQTT and transport', () => {
    const rows = documented().map((row) => [row.client, row.MQTT, row.broker, row.transport]);
    const wanted = cases.map(({ client, mqtt, broker, transport }) => [
      client.name,
      mqtt,
      broker,
      transport === 'TLS' ? 'TLS 1.3' : 'TCP',
    ]);
    expect(rows).toEqual(wanted);
  });

  it('says of each that nothing was lost or doubled, and every receipt true', () => {
    const none = { lost: '0', doubled: '0', conflicts: '0', untrue: '0' };
    for (const row of documented()) {
      expect(row).toMatchObject({ QoS: '1', booked: row.meant, receipts: row.meant, ...none });
    }
  });

  it('says of each that connections were cut and copies came', () => {
    for (const { client, cuts, copies, meant, deliveries } of documented()) {
      expect(Number(cuts), client).toBeGreaterThanOrEqual(3);
      expect(Number(copies), client).toBeGreaterThan(0);
      expect(Number(copies), client).toBe(Number(deliveries) - Number(meant));
    }
  });

  it('says of each client of MQTT 5 that shows it what it makes of a refusal', () => {
    const rows = cellsOf(text, 'reasons').slice(1);
    expect(rows.map(([name]) => name)).toEqual(probes.map(({ client }) => client.name));
    expect(rows.filter(([, said]) => said === '')).toEqual([]);
  });

  it('names the version of every program', () => {
    const rows = cellsOf(text, 'versions').slice(1);
    const clients = new Set(cases.map(({ client }) => client.name));
    for (const name of [...clients, 'Mosquitto', 'Node.js']) {
      expect(rows).toContainEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
    }
  });

  it('keeps its words when a table is written into it', () => {
    const written = withTable(text, 'versions', { head: ['a', 'b'], rows: [['1', '2']] });
    expect(cellsOf(written, 'versions')).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ]);
    expect(cellsOf(written, 'clients')).toEqual(cellsOf(text, 'clients'));
    expect(written.split('|')[0]).toBe(text.split('|')[0]);
    expect(() => withTable('no place', 'clients', { head: [], rows: [] })).toThrow(
      /needs one place/,
    );
    expect(() => withTable(text + text, 'clients', { head: [], rows: [] })).toThrow(/one place/);
  });

  it('would show a run that lost, doubled or was told what is not true', () => {
    const run: ClientRun = {
      ...{ client: 'a', mqtt: '5', broker: 'b', transport: 'TCP', cuts: 4, marked: undefined },
      ...{ meant: 10, deliveries: 14, booked: 9, lost: 1, doubled: 2, conflicts: 3 },
      ...{ receipts: 8, untrue: 5, forwarded: 0 },
    };
    const { head, rows } = clientsTable([run]);
    const row = Object.fromEntries(head.map((column, at) => [column, rows[0]?.[at]]));
    expect(row).toMatchObject({ booked: '9', lost: '1', doubled: '2', conflicts: '3' });
    expect(row).toMatchObject({ receipts: '8', untrue: '5', copies: '5', 'with DUP': '–' });
  });
});
