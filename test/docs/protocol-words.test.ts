/**
 * Goal: docs/protocol.md names every reason, outcome and kind of id, and no other. Method: its
 * tables are gone through row by row; each reason is provoked, and each id is read and told.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TerminalError } from '../../core/base/errors.ts';
import { readJsonObject } from '../../core/base/json.ts';
import * as limits from '../../core/base/limits.ts';
import type { Route } from '../../core/config/route.ts';
import * as sources from '../../core/config/sources.ts';
import { idJson } from '../../core/message/id.ts';
import { type FoundIn, readIdFrom } from '../../core/message/id-sources.ts';
import { envelopeOf, Ingest } from '../../tools/handlers/ingest.ts';
import { bodyWith, deliveryOf, stateRouteOf } from '../../tools/handlers/samples.ts';
import { codeIn, rowsUnder, text } from '../../tools/protocol-document.ts';

/** What makes the bridge give each reason; first what comes before. */
interface Provocation {
  readonly bodies?: readonly string[];
  readonly changes?: Readonly<Record<string, unknown>>;
  readonly route?: Route;
  readonly isStoreRefusing?: boolean;
}

const PROVOCATIONS: Readonly<Record<string, Provocation>> = {
  'invalid-body': { bodies: ['[]'] },
  'too-long': { bodies: [bodyWith({ id: `"${'x'.repeat(257)}"` })] },
  'missing-id': { bodies: [bodyWith({ id: '""' })] },
  'invalid-id': { bodies: [bodyWith({ id: '1.5' })] },
  'missing-account': { bodies: [bodyWith({ account: undefined })] },
  'invalid-account': { bodies: [bodyWith({ account: '[]' })] },
  'missing-amount': { bodies: [bodyWith({ kWh: 'null' })] },
  'invalid-amount': { bodies: [bodyWith({ kWh: '"a lot"' })] },
  'missing-time': { bodies: [bodyWith({ at: undefined })] },
  'invalid-time': { bodies: [bodyWith({ at: '"yesterday"' })] },
  late: { bodies: [bodyWith({ at: '"1999-01-01T00:00:00Z"' })] },
  early: { bodies: [bodyWith({ at: '"2099-01-01T00:00:00Z"' })] },
  conflict: { bodies: [bodyWith(), bodyWith({ kWh: '1' })] },
  stale: {
    bodies: [bodyWith(), bodyWith({ at: '"2026-11-20T08:58:00Z"' })],
    route: stateRouteOf(),
  },
  'wrong-topic': { changes: { topic: 'other/dev-1/charges' } },
  'missing-device': { changes: { topic: 'billing//charges' } },
  'wrong-device': { changes: { topic: 'billing/dev-2/charges' } },
  'refused-by-store': { isStoreRefusing: true },
};

/** The last receipt that dev-1 then gets. */
async function provoked({ bodies = [bodyWith()], changes, route, isStoreRefusing }: Provocation) {
  const ingest = new Ingest({}, route);
  if (isStoreRefusing) {
    ingest.beforeBook = async () => {
      throw new TerminalError('a key is too long');
    };
  }
  for (const [n, body] of bodies.entries()) {
    await ingest.failures(envelopeOf(`delivery-${n}`, body, 'dev-1', changes));
  }
  return ingest.receiptsTo('dev-1').at(-1);
}

describe('the reasons in docs/protocol.md', () => {
  const rows = rowsUnder('reason').flatMap(([names = '', id = '']) =>
    codeIn(names).map((reason) => ({ reason, id })),
  );
  const inQuarantineAlone = ['unreadable-envelope', 'unforwardable'];

  it('are those of the bridge, each once', () => {
    const source = readFileSync('core/message/reasons.ts', 'utf8');
    const known = [...source.matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(([, reason]) => reason ?? '');
    const named = [...rows.map(({ reason }) => reason), ...inQuarantineAlone];
    expect(named.sort()).toEqual(known.sort());
    for (const reason of inQuarantineAlone) expect(text).toContain(`\`${reason}\``);
  });

  it.each(rows)('name $reason with what its receipt tells', async ({ reason, id }) => {
    const receipt = await provoked(PROVOCATIONS[reason] ?? {});
    expect(receipt).toMatchObject({ outcome: 'rejected', reason });
    expect(receipt?.id === undefined ? 'no' : 'yes').toBe(id === '–' ? 'no' : id);
    expect(receipt?.fields !== undefined).toBe(reason === 'conflict');
  });

  it('are told with the id where the account alone is too long', async () => {
    const at = (length: number) => bodyWith({ account: `"${'x'.repeat(length)}"` });
    expect(await provoked({ bodies: [at(2_037)] })).toMatchObject({ outcome: 'accepted' });
    const long = { reason: 'too-long', id: 'c-1' };
    expect(await provoked({ bodies: [at(2_038)] })).toMatchObject(long);
    expect(text).toContain('1 to 2,037 bytes');
  });

  it('come with up to 20 fields', async () => {
    const many = (value: number) =>
      Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`f${n}`, `${value}`]));
    const receipt = await provoked({ bodies: [bodyWith(many(1)), bodyWith(many(2))] });
    expect(receipt?.fields).toHaveLength(20);
    expect(text).toContain('up to 20 paths');
  });
});

describe('the outcomes in docs/protocol.md', () => {
  it('are those of the bridge', () => {
    const source = readFileSync('core/wire/receipts.ts', 'utf8');
    const said = [...source.matchAll(/readonly outcome: ([^;]+);/g)].flatMap(([, type = '']) =>
      [...type.matchAll(/'([a-z]+)'/g)].map(([, outcome]) => outcome),
    );
    const named = rowsUnder('outcome').flatMap(([name = '']) => codeIn(name));
    expect(named.sort()).toEqual([...new Set(said)].sort());
  });
});

describe('the ids in docs/protocol.md', () => {
  it.each(rowsUnder("the route's `id`"))('%s of %s are told as %s', (source, said, told) => {
    const make = new Function(...Object.keys(sources), `return ${codeIn(source)[0]};`);
    const reading = readIdFrom(make(...Object.values(sources)), foundIn(said));
    expect(reading).toMatchObject({ ok: true });
    const id = reading.ok ? idJson(reading.id) : '';
    expect(id.replace(/[0-9a-f]{64}/, 'HASH')).toBe(codeIn(told)[0]);
  });

  it('are told of every source that there is', () => {
    const shown = rowsUnder("the route's `id`").map(([source = '']) => source);
    const others = new Set(['ignoring', 'partsOf']);
    for (const name of Object.keys(sources).filter((one) => !others.has(one))) {
      expect(
        shown.some((source) => source.includes(`${name}(`)),
        name,
      ).toBe(true);
    }
  });

  it('fit the requests in the number that is said', () => {
    const uuid = '0192f0c1-7b1e-7cc0-8a3e-4b2f5d6a7c8e';
    const bytes = (entry: string, n: number, name: string) =>
      Buffer.byteLength(`{"v":1,"route":"charges","${name}":[${Array(n).fill(entry).join(',')}]}`);
    const asked = `{"id":"${uuid}","bodyHash":"${'a'.repeat(64)}"}`;
    expect(bytes(`"${uuid}"`, 2_300, 'ids')).toBeLessThanOrEqual(limits.BODY_BYTES_MAX);
    expect(bytes(asked, 700, 'messages')).toBeLessThanOrEqual(limits.BODY_BYTES_MAX);
    expect(text).toContain('room for 2,300 UUIDs');
    expect(text).toContain('room for 700 UUIDs');
  });
});

function foundIn(said = ''): FoundIn {
  const [code = ''] = codeIn(said);
  const isBody = code.startsWith('{');
  const json = readJsonObject(Buffer.from(isBody ? code : '{}'));
  if (!json.ok) throw new Error(json.detail);
  const body = json.value;
  if (said.startsWith('topic')) return { body, delivery: deliveryOf('{}', { topic: code }) };
  if (said.startsWith('user property')) {
    return { body, delivery: deliveryOf('{}', { userProperties: [['message-id', code]] }) };
  }
  if (said.startsWith('correlation data')) {
    const correlationData = Buffer.from(code, 'hex').toString('base64');
    return { body, delivery: deliveryOf('{}', { correlationData }) };
  }
  expect(isBody).toBe(true);
  return { body, delivery: deliveryOf(code) };
}
