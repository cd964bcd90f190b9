/** Self time by who owns the code, from V8's CPU profiles. Pure. */
import type { Profiler, Runtime } from 'node:inspector';
import { packageOf } from '../start/packages.ts';

type Frame = Runtime.CallFrame;

/** The file of a frame, as a path or a URL; undefined for what is built into V8. */
export type Owner = (frame: Frame) => string | undefined;

export interface SelfTime {
  /** A package, a module of Node.js, or what V8 calls it, e.g. `(garbage collector)`. */
  readonly name: string;
  readonly micros: number;
}

/** Waiting is no work; the root has no samples of its own. */
const NOT_BUSY = new Set(['(idle)', '(root)']);

/** Of all profiles together, the largest first; idle time is left out. */
export function selfTimes(
  profiles: readonly Profiler.Profile[],
  ownerOf: Owner,
): readonly SelfTime[] {
  const sums = new Map<string, number>();
  for (const profile of profiles) {
    const names = namesOf(profile, ownerOf);
    const { samples = [], timeDeltas = [] } = profile;
    for (const [at, id] of samples.entries()) {
      const name = names.get(id) ?? '(unknown)';
      if (NOT_BUSY.has(name)) continue;
      // A sample stands for the time until the next one.
      sums.set(name, (sums.get(name) ?? 0) + Math.max(0, timeDeltas[at + 1] ?? 0));
    }
  }
  return [...sums]
    .map(([name, micros]) => ({ name, micros }))
    .toSorted((one, other) => other.micros - one.micros);
}

/** What is built into V8, such as JSON.parse, works for who has called it. */
function namesOf({ nodes }: Profiler.Profile, ownerOf: Owner): ReadonlyMap<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const names = new Map<number, string>();
  const visit = (id: number, caller: string) => {
    const node = byId.get(id);
    if (node === undefined) return;
    const { functionName } = node.callFrame;
    const owner = ownerOf(node.callFrame);
    const isVirtual = owner === undefined && functionName.startsWith('(');
    const name = owner === undefined ? (isVirtual ? functionName : caller) : nameOf(owner);
    names.set(id, name);
    for (const child of node.children ?? []) visit(child, name);
  };
  const [root] = nodes;
  if (root !== undefined) visit(root.id, '(root)');
  return names;
}

/** `node:http`, `@smithy/core/retry`, `core`, `lambda`; the host of the local cloud is `local`. */
function nameOf(owner: string): string {
  if (owner.startsWith('node:'))
    return `node:${
      owner
        .slice(5)
        .replace(/^internal\//, '')
        .split('/')[0]
    }`;
  if (owner.includes('node_modules/')) return packageOf(owner);
  const path = owner.replace(/^.*\/(?=(local|core|lambda|bench)\/)/, '');
  return path.split('/')[0] ?? path;
}
