/** `tollbridge device`: who may connect. */
import { Command, InvalidArgumentError } from 'commander';
import { printable } from '../../core/base/printable.ts';
import { type AccessFlags, withAccess } from '../access/options.ts';
import { withBridge } from '../access/with-bridge.ts';
import { print, printError } from '../output/print.ts';
import { EXIT } from '../shell/usage.ts';
import { type AddedDevice, addDevice } from './add.ts';
import { setStatus } from './status.ts';
import { type DeviceTarget, deviceTarget } from './target.ts';

interface AddFlags extends AccessFlags {
  readonly out: string;
  readonly another: boolean;
  readonly json: boolean;
}

interface StatusFlags extends AccessFlags {
  readonly certificate?: string;
}

export function deviceCommand(): Command {
  return new Command('device')
    .description('register devices with certificates, and shut them out')
    .addCommand(addCommand())
    .addCommand(statusCommand('disable', 'INACTIVE', 'refuse a device, until it is enabled again'))
    .addCommand(statusCommand('enable', 'ACTIVE', 'let a disabled device in again'));
}

function addCommand(): Command {
  return withAccess(new Command('add'))
    .description('make a thing, a key and a certificate, attach the policies, and write the files')
    .argument('<name>', 'of the thing; also the client id')
    .option('--out <folder>', 'where the files are written', 'devices')
    .option('--another', 'the thing has a certificate elsewhere and gets one more', false)
    .option('--json', 'print the settings as JSON', false)
    .addHelpText(
      'after',
      `
The private key is made here and is sent nowhere. Files that exist are never overwritten, and a
run that failed half-way is finished by the same command.

Examples:
  tollbridge device add meter-17
  tollbridge device add meter-17 --profile operations --region eu-central-1 --out ./meter-17`,
    )
    .action((name: string, { out, another, json, ...flags }: AddFlags) =>
      withBridge(flags, async (access) => {
        const target = await deviceTarget(access);
        const added = await addDevice(target, { name, folder: out, another });
        print(json ? JSON.stringify(settingsOf(added), undefined, 2) : report(target, added));
        return EXIT.ok;
      }),
    );
}

function statusCommand(
  verb: 'enable' | 'disable',
  status: 'ACTIVE' | 'INACTIVE',
  description: string,
): Command {
  return withAccess(new Command(verb))
    .description(description)
    .argument('<name>', 'of the thing')
    .option('--certificate <id>', 'this one of its certificates alone', certificateId)
    .addHelpText('after', `\nExample:\n  tollbridge device ${verb} meter-17`)
    .action((name: string, { certificate, ...flags }: StatusFlags) =>
      withBridge(flags, async (access) => {
        const target = await deviceTarget(access);
        const wanted = { name, status, certificateId: certificate };
        for (const { certificateId: id, before, after } of await setStatus(target, wanted)) {
          print(`${id}  ${after}${before === after ? ' (as before)' : ` (was ${before})`}`);
        }
        if (status === 'INACTIVE' && access.kind === 'aws') {
          printError('AWS ends the connections of these certificates within a few minutes.');
        }
        return EXIT.ok;
      }),
    );
}

function certificateId(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidArgumentError('allowed is the id of a certificate: 64 hexadecimal digits.');
}

/** What `connect` of the device library takes, and what names the certificate. */
function settingsOf({ name, url, certificateId: id, files }: AddedDevice) {
  return {
    url,
    deviceId: name,
    tls: { key: files.key, cert: files.certificate, ca: files.authority },
    certificateId: id,
  };
}

function report(target: DeviceTarget, added: AddedDevice): string {
  const { name, certificateId: id, files, isNew, url } = added;
  const policies = target.policyNames.join(', ');
  return [
    `${name} is registered at ${target.where}.`,
    '',
    `  key          ${shown(files.key)}   (this file is the only copy)`,
    `  certificate  ${shown(files.certificate)}   (${isNew ? 'new' : 'of an earlier run'}, id ${id})`,
    `  trusts       ${shown(files.authority)}`,
    `  policies     ${policies}`,
    '',
    'Connect with:',
    '',
    `  url: '${shown(url)}',`,
    `  deviceId: '${name}',`,
    `  tls: { key: '${shown(files.key)}', cert: '${shown(files.certificate)}', ca: '${shown(files.authority)}' },`,
  ].join('\n');
}

/** A folder can have an odd name too. */
function shown(text: string): string {
  return printable(text, 1_024);
}
