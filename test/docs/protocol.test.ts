/**
 * Goal: a client can be written from docs/protocol.md alone. Method: what it shows is what the
 * bridge's own code reads and says, its commands are run, its figures are those of the limits, and
 * its tables of reasons and ids are gone through row by row.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bodyHashOf } from '../../core/base/hash.ts';
import { isJsonNumber, readJsonObject } from '../../core/base/json.ts';
import * as limits from '../../core/base/limits.ts';
import { encodeId, type MessageId } from '../../core/message/id.ts';
import { stripBasicIngest } from '../../core/message/topics.ts';
import { type Receipt, receiptPayloads } from '../../core/wire/receipts.ts';
import config from '../../tollbridge.config.ts';
import { HandshakeHarness } from '../../tools/handlers/handshake.ts';
import { envelopeOf, Ingest } from '../../tools/handlers/ingest.ts';
import { routeOf } from '../../tools/handlers/samples.ts';
import { block, blocks, text } from '../../tools/protocol-document.ts';
import { resourceOf, templatesOf } from '../infra/templates.ts';

const DEVICE = 'meter-17';
const BOOKED_AT = 1_795_227_263_539;

/** What the bridge of the document publishes to the device for these bodies, in one batch each. */
async function payloadsFor(...bodies: readonly string[]): Promise<readonly string[]> {
  const ingest = new Ingest();
  ingest.now = BOOKED_AT as typeof ingest.now;
  for (const [n, body] of bodies.entries()) {
    const envelope = envelopeOf(`delivery-${n}`, body, DEVICE, { receivedAt: BOOKED_AT });
    expect(await ingest.failures(envelope)).toEqual([]);
  }
  return ingest.published.map(({ payload }) => payload);
}

const message = block('json message');

describe('docs/protocol.md', () => {
  it('shows the receipt and the forward that its message gets', async () => {
    const [forward, receipt] = await payloadsFor(message);
    expect(block('json receipts accepted')).toBe(receipt);
    expect(block('json forward')).toBe(forward);
  });

  it('shows the receipt of a conflict', async () => {
    const other = message.replace('1.25', '2.5');
    expect(block('json receipts conflict')).toBe((await payloadsFor(message, other)).at(-1));
  });

  it('shows the receipt of a body whose id could not be read', async () => {
    const nameless = message.replace('"id":"a-1",', '');
    expect(block('json receipts no-id')).toBe((await payloadsFor(nameless)).at(-1));
  });

  it('shows a release that is read, and its answer', async () => {
    const bridge = new HandshakeHarness(routeOf());
    await bridge.ask('release', block('json release'), { device: DEVICE });
    expect(bridge.published.map(({ payload }) => payload)).toEqual([
      block('json receipts completed'),
    ]);
    expect(bridge.published[0]?.topic).toBe(`tollbridge/${DEVICE}/receipts`);
  });

  it('shows a query that is read, and its answer', async () => {
    const ingest = new Ingest();
    ingest.now = BOOKED_AT as typeof ingest.now;
    const envelope = envelopeOf('delivery-1', message, DEVICE, { receivedAt: BOOKED_AT });
    await ingest.failures(envelope);
    const bridge = new HandshakeHarness(routeOf());
    for (const [key, row] of ingest.ledger.rows) bridge.ledger.rows.set(key, row);
    await bridge.ask('query', block('json query'), { device: DEVICE });
    expect(bridge.published.map(({ payload }) => payload)).toEqual([block('json receipts query')]);
  });

  it('holds no JSON that is not shown to be right here', () => {
    const named = [...text.matchAll(/^```json ?(.*)$/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual(
      [
        'forward',
        'message',
        'policy',
        'query',
        'receipts accepted',
        'receipts completed',
        'receipts conflict',
        'receipts no-id',
        'receipts query',
        'release',
      ].sort(),
    );
    const inline = [...text.matchAll(/`(\{[^`\n]*)`/g)].map(([, code]) => code ?? '');
    for (const code of inline.filter((one) => one !== '{device}')) {
      expect(() => JSON.parse(code), code).not.toThrow();
    }
  });

  it('writes receipts as the bridge writes them, in order of their fields', () => {
    for (const name of ['accepted', 'conflict', 'no-id', 'completed', 'query']) {
      const shown = block(`json receipts ${name}`);
      const { route, receipts } = JSON.parse(shown);
      const read: Receipt[] = receipts.map((one: Receipt, at: number) => ({
        fields: undefined,
        ...one,
        id: idShown(shown, at),
      }));
      expect(receiptPayloads(route, read)).toEqual([shown]);
    }
  });

  it('hashes a body as its own commands and the bridge do', () => {
    const commands = blocks('sh body-hash');
    const printed = blocks('text body-hash');
    expect(commands).toHaveLength(2);
    expect(
      commands.map((command) => execFileSync('sh', ['-euc', command], { encoding: 'utf8' }).trim()),
    ).toEqual(printed);
    const topic = stripBasicIngest(`$aws/rules/tollbridge_charges/billing/${DEVICE}/charges`);
    const hash = bodyHashOf(topic, Buffer.from(message));
    expect(printed).toEqual([`${hash}  -`, `${hash}  -`]);
    for (const command of commands) expect(command).toContain(`BODY='${message}'`);
  });

  it('shows the policy that the stack makes', () => {
    const policy = resourceOf(templatesOf(config).ingestTemplate, 'AWS::IoT::Policy');
    const document = JSON.stringify(policy.properties.PolicyDocument).replaceAll(
      'arn:<AWS::Partition>:iot:<AWS::Region>:<AWS::AccountId>:',
      '',
    );
    const made = JSON.parse(document).Statement;
    const shown = JSON.parse(block('json policy'));
    expect(shown.map((one: object) => ({ Effect: 'Allow', ...one }))).toEqual(made);
  });
});

describe('the figures in docs/protocol.md', () => {
  const figure = (value: number) => value.toLocaleString('en-US');
  const days = Math.floor(limits.MESSAGE_LIFETIME_MAX_SECONDS / 86_400);
  const hours = (limits.MESSAGE_LIFETIME_MAX_SECONDS % 86_400) / 3_600;

  it.each([
    `${figure(limits.BODY_BYTES_MAX)} bytes, ${limits.BODY_DEPTH_MAX} levels deep`,
    `up to ${figure(limits.BODY_BYTES_MAX)} bytes (90 KB)`,
    `| payload | ${figure(limits.MQTT_PAYLOAD_BYTES_MAX)} bytes (128 KB) |`,
    `| output of a rule | ${figure(limits.RULE_OUTPUT_BYTES_MAX)} bytes |`,
    `| topic | ${limits.TOPIC_BYTES_MAX} bytes, ${limits.TOPIC_SLASHES_MAX} slashes |`,
    `| client id | ${limits.DEVICE_BYTES_MAX} bytes |`,
    `about ${figure(limits.RECEIPTS_BYTES_MAX)} bytes`,
    `up to ${limits.DETAIL_CHARS_MAX} UTF-16 units`,
    `1 to ${limits.ID_BYTES_MAX} bytes as a key`,
    `up to ${limits.ID_BYTES_MAX - encodeId({ kind: 'integer', digits: '' }).length} of them`,
    `${limits.NUMBER_DIGITS_MAX} digits, 1E${limits.NUMBER_EXPONENT_MIN} to 9.99E+${limits.NUMBER_EXPONENT_MAX}`,
    `up to ${limits.CLOCK_AHEAD_MILLIS_MAX / 3_600_000} hours ahead`,
    `L is ${days} days and ${hours} hours`,
  ])('are those of the bridge: %s', (phrase) => {
    expect(text.replaceAll(/\s+/g, ' ')).toContain(phrase);
  });

  it('in bytes are none but those', () => {
    const named = [...text.matchAll(/([\d,]{5,}) bytes/g)].map(([, one]) => one);
    expect([...new Set(named)].sort()).toEqual(
      [limits.BODY_BYTES_MAX, limits.MQTT_PAYLOAD_BYTES_MAX, limits.RECEIPTS_BYTES_MAX, 2_037]
        .map(figure)
        .sort(),
    );
  });

  it('count the lines of the example for Python', () => {
    const lines = readFileSync('examples/python/tollbridge_client.py', 'utf8')
      .trimEnd()
      .split('\n');
    expect(text).toContain(`such a client in ${lines.length} lines`);
  });
});

describe('the diagrams in docs/protocol.md', () => {
  const diagrams = blocks('mermaid').map((code) => code.split('\n').map((line) => line.trim()));

  it.each([
    'Short handshake',
    'Full handshake',
    'Lost PUBLISH',
    'Lost receipt',
    'Conflict',
    'Reboot with the outbox',
    'Reboot without the outbox',
  ])('show the exchange %s', (name) => {
    const [, section = ''] = text.split(`### ${name}\n`);
    expect(section.trim().startsWith('```mermaid\nsequenceDiagram')).toBe(true);
  });

  it.each(diagrams.map((lines, n) => [n + 1, lines] as const))(
    'are written as Mermaid reads them: number %i',
    (_, [kind, ...lines]) => {
      expect(kind).toBe('sequenceDiagram');
      const names = new Set<string>();
      for (const line of lines) {
        // Mermaid ends a statement at a semicolon, and a hash begins an entity.
        expect(line).not.toMatch(/[;#]|\bend\b/);
        const [, participant] = /^participant (\w+) as [\w ]+$/.exec(line) ?? [];
        if (participant !== undefined) names.add(participant);
        else {
          const arrow =
            /^(\w+)(?:->>|-->>|-x)(\w+): \S/.exec(line) ?? /^Note over (\w+): \S/.exec(line);
          expect(arrow, line).not.toBeNull();
          for (const name of (arrow ?? []).slice(1)) expect(names).toContain(name);
        }
      }
    },
  );
});

describe('the links in docs/protocol.md', () => {
  const slugsOf = (document: string) =>
    [...document.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    );

  it('lead to sections that are there', () => {
    const links = [...text.matchAll(/\]\(([\w.]*)#([\w-]+)\)/g)];
    expect(links.length).toBeGreaterThan(5);
    for (const [link, file = '', section] of links) {
      const target = file === '' ? text : readFileSync(`docs/${file}`, 'utf8');
      expect(slugsOf(target), link).toContain(section);
    }
  });
});

/** The n-th id of the payload, told apart as text and number with every digit. */
function idShown(payload: string, at: number): MessageId | undefined {
  const json = readJsonObject(Buffer.from(payload));
  const receipts = json.ok ? json.value.receipts : undefined;
  const receipt = Array.isArray(receipts) ? receipts[at] : undefined;
  const id = receipt?.id;
  if (isJsonNumber(id)) return { kind: 'integer', digits: id.value };
  return typeof id === 'string' ? { kind: 'text', text: id } : undefined;
}
