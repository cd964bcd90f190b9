/** `tollbridge device disable` and `enable`: whether a device's certificates let it in. */
import { UpdateCertificateCommand } from '@aws-sdk/client-iot';
import { certificatesOf, checkName, statusOf } from './add.ts';
import type { DeviceTarget } from './target.ts';

export interface StatusRequest {
  readonly name: string;
  readonly status: 'ACTIVE' | 'INACTIVE';
  /** One of the thing's certificates; all of them without it. */
  readonly certificateId: string | undefined;
}

/** What became of one certificate. */
export interface StatusChange {
  readonly certificateId: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Switches certificates on or off; safe to repeat. One that is revoked stays so.
 * @throws Error when the thing has no such certificate
 */
export async function setStatus(
  { iot, where }: DeviceTarget,
  { name, status, certificateId }: StatusRequest,
): Promise<readonly StatusChange[]> {
  checkName(name);
  const ids = await certificatesOf(iot, name);
  if (ids.length === 0) throw new Error(`At ${where} no certificate is attached to ${name}.`);
  if (certificateId !== undefined && !ids.includes(certificateId)) {
    throw new Error(
      `At ${where} the certificate ${certificateId} is not attached to ${name}; attached are: ${ids.join(', ')}.`,
    );
  }
  const changes: StatusChange[] = [];
  for (const id of certificateId === undefined ? ids : [certificateId]) {
    const before = (await statusOf(iot, id)) ?? 'gone';
    const isSwitch = before === 'ACTIVE' || before === 'INACTIVE';
    if (isSwitch && before !== status) {
      await iot.send(new UpdateCertificateCommand({ certificateId: id, newStatus: status }));
    }
    changes.push({ certificateId: id, before, after: isSwitch ? status : before });
  }
  return changes;
}
