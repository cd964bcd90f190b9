/**
 * How a quarantine row is named on a command line: `route#device/id#bodyHash`, in which every
 * character that a shell or a terminal could obey stands as `%XX`. A device is a level of a topic,
 * so the first slash ends it.
 */
import { InvalidArgumentError } from 'commander';
import type { QuarantineKey } from '../../core/tables/quarantine-row.ts';

const UNSAFE = /[^A-Za-z0-9._~:@#+,=/-]/gu;

export function keyText({ pk, sk }: QuarantineKey): string {
  return `${pk}/${sk}`
    .toWellFormed()
    .replaceAll(UNSAFE, (char) =>
      [...Buffer.from(char)]
        .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
        .join(''),
    );
}

/** For commander: gathers the keys of a command line. */
export function gatherKey(text: string, keys: readonly QuarantineKey[] = []): QuarantineKey[] {
  return [...keys, readKey(text)];
}

function readKey(text: string): QuarantineKey {
  const slash = text.indexOf('/');
  const [pk, sk] = [decoded(text.slice(0, slash)), decoded(text.slice(slash + 1))];
  if (slash > 0 && pk?.includes('#') && sk?.includes('#')) return { pk, sk };
  throw new InvalidArgumentError(
    'allowed is a key as `tollbridge quarantine list` prints it: ROUTE#DEVICE/ID#BODYHASH.',
  );
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
