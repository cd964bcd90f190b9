/** What a bundle is made of. Pure. */
import type { Metafile } from 'esbuild';

export interface PackageBytes {
  readonly name: string;
  readonly bytes: number;
}

/** Bytes in the output by package, the largest first; the project's own code is `tollbridge`. */
export function bytesByPackage(metafile: Metafile): readonly PackageBytes[] {
  const sums = new Map<string, number>();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const name = packageOf(path);
      sums.set(name, (sums.get(name) ?? 0) + bytesInOutput);
    }
  }
  return [...sums]
    .map(([name, bytes]) => ({ name, bytes }))
    .filter(({ bytes }) => bytes > 0)
    .toSorted((one, other) => other.bytes - one.bytes);
}

/** Packages of many parts: where they lie in it, each part is told by its name. */
const IN_PARTS = ['@smithy/core', '@aws-sdk/core'];

/** The innermost package that a file belongs to; of those that have many parts, the part too. */
export function packageOf(path: string): string {
  const inside = path.split('node_modules/').at(-1) ?? path;
  if (inside === path) return 'tollbridge';
  const [first = '', second = '', ...rest] = inside.split('/');
  const name = first.startsWith('@') ? `${first}/${second}` : first;
  if (!IN_PARTS.includes(name)) return name;
  const at = rest.indexOf('submodules');
  return at < 0 ? name : `${name}/${rest[at + 1] ?? ''}`;
}
