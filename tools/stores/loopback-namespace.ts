/**
 * Where DynamoDB Local may run: it listens on every interface, so programs that use it are begun in a
 * network namespace that has loopback alone.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchPackage, MissingError, SIMULATOR, unpackEmulator } from './dynamodb-local.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const KEPT = join(ROOT, '.tollbridge', 'dynamodb-local');

/** Programs, and the Debian packages that have them. */
const PROGRAMS: readonly (readonly [program: string, debian: string])[] = [
  ['java', 'default-jre-headless'],
  ['ip', 'iproute2'],
  ['unshare', 'util-linux'],
  ['setpriv', 'util-linux'],
  ['tar', 'tar'],
  ['npm', 'npm'],
];

export interface EmulatorPlace {
  /** The folder of the emulator, below the one that was given. */
  readonly emulator: string;
  /** Stands before a command that is to run in a namespace of its own, and ends with this process. */
  readonly inNamespace: readonly [program: string, ...args: string[]];
}

/**
 * Fetches DynamoDB Local where it is not kept yet, and unpacks it.
 *
 * @param scratch a folder that the caller removes
 * @param say told the terms under which it is used
 * @throws MissingError naming what is not there
 */
export async function prepareEmulator(
  scratch: string,
  say: (line: string) => void,
): Promise<EmulatorPlace> {
  const flag = await namespaceFlag();
  say(
    `DynamoDB Local comes from ${SIMULATOR.name}@${SIMULATOR.version} under Amazon's DynamoDB Local licence: use in connection with AWS by holders of an account, no passing on.`,
  );
  const emulator = await unpackEmulator(await fetchPackage(KEPT), scratch);
  const script = 'ip link set lo up && exec setpriv --pdeathsig KILL "$@"';
  return { emulator, inNamespace: ['unshare', flag, 'sh', '-c', script, 'sh'] };
}

/** What makes a network namespace: root's own, or one inside a user namespace. */
async function namespaceFlag(): Promise<string> {
  const absent = PROGRAMS.filter(([program]) => !isInstalled(program));
  if (absent.length > 0) {
    const programs = absent.map(([program]) => program).join(', ');
    const packages = [...new Set(absent.map(([, debian]) => debian))].join(' ');
    throw new MissingError(`not installed: ${programs} (Debian: apt-get install ${packages}).`);
  }
  const flag = process.getuid?.() === 0 ? '-n' : '-rn';
  const tried = spawn('unshare', [flag, 'true'], { stdio: 'inherit' });
  const [status] = (await once(tried, 'close')) as [number | null];
  if (status === 0) return flag;
  throw new MissingError(
    `"unshare ${flag} true" fails: no network namespace can be made here. Run as root, or let users make namespaces (sysctl kernel.unprivileged_userns_clone=1).`,
  );
}

function isInstalled(program: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** @throws Error when this process could be reached from outside */
export function assertLoopbackAlone(command: string): void {
  const outside = Object.entries(networkInterfaces()).filter(([, addresses]) =>
    addresses?.some(({ internal }) => !internal),
  );
  if (outside.length === 0) return;
  const names = outside.map(([name]) => name).join(', ');
  throw new Error(`this namespace has ${names}; run ${command}, which makes its own`);
}
