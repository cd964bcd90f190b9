/**
 * Goal: one command registers a device; whatever fails, nothing is lost or overwritten. Method: the
 * command's own functions against a local cloud of the template that would be deployed.
 */
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { UpdateCertificateCommand } from '@aws-sdk/client-iot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addDevice } from '../../../cli/device/add.ts';
import { setStatus } from '../../../cli/device/status.ts';
import type { DeviceTarget } from '../../../cli/device/target.ts';
import { startTestCloud } from '../../../tools/clouds/cloud.ts';
import {
  addTo,
  attemptAs as attempt,
  connectAs as connect,
  contentsOf,
  type DeviceBench,
  failingTarget,
  newFolder,
  startDeviceBench,
  targetAt,
} from '../../../tools/clouds/device-ground.ts';
import { closed } from '../../../tools/mqtt/thing.ts';

let bench: DeviceBench;
let target: DeviceTarget;
let folder: string;

beforeAll(async () => {
  bench = await startDeviceBench();
});
beforeEach(async () => {
  target = await targetAt(bench.bridge.cloud.apiUrl);
  folder = join(newFolder(), 'devices');
});
afterAll(() => bench.close());

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const add = (name: string, another = false) => addTo(target, folder, name, another);

describe('a device that was added', () => {
  it('books a charge over TLS; the row names its certificate', async () => {
    const added = await add('meter-17');
    const thing = await connect('meter-17', added);
    const at = new Date().toISOString();
    await thing.publish(
      'billing/meter-17/charges',
      JSON.stringify({ id: 'a-1', account: 'acme', kWh: '1.25', at }),
    );
    expect((await thing.nextReceipts()).receipts).toMatchObject([
      { id: 'a-1', outcome: 'accepted' },
    ]);
    await thing.end();
    const rows = (await bench.bridge.rows('Ledger')).filter((row) => row.device?.S === 'meter-17');
    expect(rows.map((row) => row.principal?.S)).toEqual([added.certificateId]);
  });

  it('is let in under its own name alone', async () => {
    const added = await add('meter-18');
    expect(await attempt('meter-19', added)).toBe('refused');
    await bench.bridge.seen(
      (e) => e.kind === 'disconnect' && /client\/meter-19;.*meter-18/.test(e.reason),
    );
  });

  it('has a key for its owner alone, in a folder for its owner alone that git ignores', async () => {
    const { files } = await add('meter-20');
    expect([modeOf(folder), modeOf(files.key)]).toEqual(['700', '600']);
    expect(readdirSync(folder).sort()).toEqual([
      '.gitignore',
      'meter-20.ca.pem',
      'meter-20.cert.pem',
      'meter-20.key',
    ]);
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('*\n');
  });

  it('is shut out when it is disabled, at once, and let in again when it is enabled', async () => {
    const added = await add('meter-21');
    const thing = await connect('meter-21', added);
    const ended = closed(thing.client);
    const off = { name: 'meter-21', status: 'INACTIVE', certificateId: undefined } as const;
    const change = { certificateId: added.certificateId, before: 'ACTIVE', after: 'INACTIVE' };
    expect(await setStatus(target, off)).toEqual([change]);
    await ended;
    expect(await attempt('meter-21', added)).toBe('refused');
    expect(await setStatus(target, off)).toEqual([{ ...change, before: 'INACTIVE' }]);
    await expect(add('meter-21')).rejects.toThrow(/is INACTIVE at .* device enable/);
    await setStatus(target, { ...off, status: 'ACTIVE' });
    expect(await attempt('meter-21', added)).toBe('let in');
  });
});

it('a certificate that was revoked stays revoked, whatever is switched', async () => {
  const { certificateId } = await add('meter-22');
  await target.iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'REVOKED' }));
  for (const status of ['ACTIVE', 'INACTIVE'] as const) {
    const change = await setStatus(target, { name: 'meter-22', status, certificateId });
    expect(change).toEqual([{ certificateId, before: 'REVOKED', after: 'REVOKED' }]);
  }
  await expect(add('meter-22')).rejects.toThrow(/is REVOKED/);
});

describe('adding a device again', () => {
  it('changes no file and no registration', async () => {
    const first = await add('meter-30');
    const before = contentsOf(folder);
    const second = await add('meter-30');
    expect(second).toEqual({ ...first, isNew: false });
    expect(contentsOf(folder)).toEqual(before);
  });

  it('from another folder is refused, for two holders would share its ids, unless asked for', async () => {
    const first = await add('meter-31');
    folder = newFolder();
    await expect(add('meter-31')).rejects.toThrow(
      new RegExp(`whose files are not here \\(${first.certificateId}\\).*--another`),
    );
    expect(readdirSync(folder)).toEqual([]);
    const second = await add('meter-31', true);
    expect(second.certificateId).not.toBe(first.certificateId);
    const only = {
      name: 'meter-31',
      status: 'INACTIVE',
      certificateId: first.certificateId,
    } as const;
    expect(await setStatus(target, only)).toHaveLength(1);
    expect(await attempt('meter-31', second)).toBe('let in');
    expect(await attempt('meter-31', first)).toBe('refused');
  });

  it.each([
    ['CreateThingCommand', 'before', ['.gitignore', 'meter.ca.pem'], /nothing\. Run the same/],
    ['CreateThingCommand', 'after', ['.gitignore', 'meter.ca.pem'], /nothing\. Run the same/],
    ['CreateCertificateFromCsrCommand', 'before', undefined, /the thing meter-\d+, the key/],
    ['CreateCertificateFromCsrCommand', 'after', undefined, /the thing meter-\d+, the key/],
    ['AttachThingPrincipalCommand', 'before', undefined, /the certificate [0-9a-f]{64} in/],
    ['AttachThingPrincipalCommand', 'after', undefined, /the certificate [0-9a-f]{64} in/],
    ['AttachPolicyCommand', 'before', undefined, /the certificate [0-9a-f]{64} in/],
    ['AttachPolicyCommand', 'after', undefined, /the certificate [0-9a-f]{64} in/],
  ] as const)(
    'finishes a run in which %s failed, %s it was done',
    async (command, when, left, what) => {
      const name = `meter-${4_000 + Math.abs(hashOf(command + when))}`;
      const broken = await failingTarget(bench, command, when);
      const key = join(folder, `${name}.key`);
      await expect(addDevice(broken, { name, folder, another: false })).rejects.toThrow(what);
      if (left !== undefined) {
        expect(readdirSync(folder).map((file) => file.replace(name, 'meter'))).toEqual(left);
      }
      const made = existsSync(key) ? readFileSync(key, 'utf8') : undefined;
      const added = await addDevice(broken, { name, folder, another: false });
      if (made !== undefined) expect(readFileSync(key, 'utf8')).toBe(made);
      expect(await attempt(name, added)).toBe('let in');
    },
  );

  it('takes a certificate back that could not be written down', async () => {
    const broken = await targetAt(bench.bridge.cloud.apiUrl);
    let id = '';
    broken.iot.middlewareStack.add(
      (next, context) => async (args) => {
        const answer = await next(args);
        if (context.commandName !== 'CreateCertificateFromCsrCommand') return answer;
        id = (answer.output as { certificateId: string }).certificateId;
        writeFileSync(join(folder, 'meter-50.cert.pem'), 'somebody was faster');
        return answer;
      },
      { step: 'initialize' },
    );
    const adding = addDevice(broken, { name: 'meter-50', folder, another: false });
    await expect(adding).rejects.toThrow(
      /never overwritten.*no certificate \(it was deleted again\)/,
    );
    expect(readFileSync(join(folder, 'meter-50.cert.pem'), 'utf8')).toBe('somebody was faster');
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    const off = { name: 'meter-50', status: 'INACTIVE', certificateId: undefined } as const;
    await expect(setStatus(target, off)).rejects.toThrow(/no certificate is attached to meter-50/);
  });

  it.each<
    [string, (files: { key: string; certificate: string; authority: string }) => void, RegExp]
  >([
    ['a key that others may read', ({ key }) => chmodSync(key, 0o644), /mode 644.*chmod 600/],
    ['a certificate without its key', ({ key }) => rmSync(key), /its key .* is not/],
    ['half a key', ({ key }) => writeFileSync(key, 'x'), /no pair.*no private key/],
    [
      'half a certificate',
      ({ certificate }) => writeFileSync(certificate, 'x'),
      /no pair.*no certificate/,
    ],
    [
      'another authority',
      ({ authority }) => writeFileSync(authority, 'x'),
      /authority of another cloud/,
    ],
  ])('refuses %s, and touches nothing', async (what, spoil, reason) => {
    const name = `spoilt-${what.replaceAll(' ', '-')}`;
    const { files } = await add(name);
    spoil(files);
    const before = contentsOf(folder);
    await expect(add(name)).rejects.toThrow(reason);
    expect(contentsOf(folder)).toEqual(before);
  });

  it('says of a certificate that the cloud has forgotten what it is and what to do', async () => {
    const { files, certificateId } = await add('meter-60');
    const other = await startTestCloud(bench.assemblyDir, {}, { mqttsPort: 0 });
    try {
      const elsewhere = await targetAt(other.cloud.apiUrl);
      await expect(
        addDevice(elsewhere, { name: 'meter-60', folder, another: false }),
      ).rejects.toThrow(new RegExp(`${certificateId}, which .* does not know.*--data.*--out`));
      expect(existsSync(files.key)).toBe(true);
    } finally {
      await other.cloud.close();
    }
  });
});

describe('the name of a device', () => {
  it.each([
    ['is empty', ''],
    ['has a slash', '../../etc/passwd'],
    ['has a wildcard', 'meter+'],
    ['has a space', 'a b'],
    ['has a sign of another script', 'métre'],
    ['is too long', 'm'.repeat(129)],
    ['would act on a terminal', 'a\u001b[2J'],
    ['ends with a line', 'meter\n'],
  ])('is refused when it %s, before anything is made', async (_, name) => {
    const error = await add(name).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ message: expect.stringMatching(/allowed are 1 to 128 letters/) });
    expect(String(error)).not.toContain('\u001b');
    expect(existsSync(folder)).toBe(false);
  });

  it.each(['m'.repeat(128), 'a:b_c-D9', '-x', '__proto__', 'constructor'])(
    'may be %s',
    async (name) => {
      const added = await add(name);
      expect(await attempt(name, added)).toBe('let in');
      expect(readdirSync(folder)).toContain(`${name.replaceAll(':', '%3A')}.key`);
    },
  );
});

/** A small number for a text, so that each case has a device of its own. */
function hashOf(text: string): number {
  return [...text].reduce((sum, char) => (sum * 31 + (char.codePointAt(0) ?? 0)) % 1_000, 7);
}
