/** The table `wire`, from the counts that `npm run bench:wire` makes for docs/wire.md. */
import { type Measured, measure } from '../wire/measure.ts';
import type { Bench, Goal, Table } from './table.ts';

const MESSAGES = 20;

export const bench: Bench = async ({ runs, isQuick, note }) => {
  // A median of packets needs an odd number of runs.
  const odd = isQuick ? 1 : Math.min(runs, 3) | 1;
  const measured = await measure({ messages: isQuick ? 5 : MESSAGES, runs: odd, tell: note });
  const { single, gathered, native } = measured.tables;
  const notes = [
    'From the client to the broker and back; docs/wire.md has every case, and says how packets are counted.',
  ];
  const goals = goalsOf(measured);
  const of = (title: string, table: typeof single, rest: Partial<Table> = {}): Table => ({
    name: 'wire',
    title,
    columns: table.head,
    rows: table.rows,
    notes,
    goals: [],
    ...rest,
  });
  return [
    of('One message at a time', single),
    of('Several at once: least / median / most', gathered, { goals }),
    of(`MQTT alone, on Mosquitto ${measured.mosquitto ?? ''}`, native),
  ].filter(({ rows }) => rows.length > 0);
};

/** Rows are found by what they say, and packets by the name of the column. */
function goalsOf({ tables }: Measured): readonly Goal[] {
  const packets = (
    { head, rows }: Measured['tables']['single'],
    cells: Readonly<Record<string, string>>,
  ): number => {
    const row = rows.find((one) =>
      Object.entries(cells).every(([name, cell]) => one[head.indexOf(name)] === cell),
    );
    const [text = 'NaN'] = row?.[head.indexOf('packets')]?.split(' / ').slice(-1) ?? [];
    return Number(text);
  };
  const short = { MQTT: '3.1.1', handshake: 'short' };
  const atOnce = { MQTT: '3.1.1', QoS: '2', line: 'device – broker' };
  const alone = { ...short, 'receipts at': 'QoS 0', 'Basic Ingest': 'no' };
  const goal = (text: string, got: number, isMet: boolean): Goal => ({
    goal: text,
    got: `${got} packets`,
    isMet,
  });
  const one = packets(tables.single, { ...alone, 'PUBLISH at': 'QoS 1' });
  const none = packets(tables.single, { ...alone, 'PUBLISH at': 'QoS 0' });
  const ten = packets(tables.gathered, {
    ...short,
    'at once': '10',
    window: '1 s',
    'PUBLISH at': 'QoS 1',
  });
  const native = packets(tables.native, atOnce);
  return [
    goal('3 packets for a short handshake at QoS 1', one, one === 3),
    goal('at most 2.1 with ten receipts gathered', ten, ten <= 2.1),
    goal('2 at QoS 0', none, none === 2),
    ...(Number.isNaN(native) ? [] : [goal("QoS 2's 4 beside them", native, native === 4)]),
  ];
}
