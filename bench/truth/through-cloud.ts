/** One trial on the local cloud: devices send, the function is killed at random, the books are read. */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { type Cloud, startBenchCloud } from '../end-to-end/cloud.ts';
import { startLoad } from '../end-to-end/load.ts';
import type { LoadTask } from '../end-to-end/load-program.ts';
import { bundlePeer, type PeerName } from '../peers/bundles.ts';
import { type Reckoning, reckon } from './reckon.ts';

/** Redelivery after 1.5 s instead of three minutes. */
const SPEED = 120;
const PAUSE_MILLIS_MAX = 400;

export interface Plan {
  readonly load: Omit<LoadTask, 'port' | 'route' | 'qos'>;
  readonly kills: number;
}

export type Outcome =
  | ({ readonly title: string; readonly kills: number } & Reckoning)
  | { readonly title: string; readonly why: string };

export interface OnCloud {
  readonly title: string;
  /** In the place of the bridge's function. */
  readonly peer?: PeerName;
  /** An engine outside, in place of the embedded one. */
  readonly dynamodbUrl?: string;
  readonly assembly: string;
  readonly workshop: string;
}

export async function throughCloud(how: OnCloud, { load, kills }: Plan): Promise<Outcome> {
  const { title, peer, dynamodbUrl, assembly, workshop } = how;
  const folder = join(workshop, `truth-${peer ?? 'bridge'}`);
  if (peer !== undefined) await bundlePeer(peer, folder);
  const cloud = await startBenchCloud({
    assembly,
    speed: SPEED,
    ...(peer !== undefined && { charges: folder }),
    ...(dynamodbUrl !== undefined && { dynamodbUrl }),
  });
  const devices = await startLoad({ ...load, port: cloud.port, route: 'charges', qos: 1 });
  try {
    await devices.connect();
    const sending = devices.run();
    const killed = await killAtRandom(kills, () => killFunction(cloud));
    const { ids } = await sending;
    await cloud.idle();
    return { title, kills: killed, ...reckon(ids, await cloud.effects()) };
  } finally {
    await devices.end();
    await cloud.close();
  }
}

/** Kills until it has been done so often; false means that there was nobody to kill. */
export async function killAtRandom(kills: number, kill: () => Promise<boolean>): Promise<number> {
  let done = 0;
  for (let tries = 0; done < kills && tries < 20 * kills; tries++) {
    await new Promise((resolve) => setTimeout(resolve, randomInt(50, PAUSE_MILLIS_MAX)));
    if (await kill()) done += 1;
  }
  return done;
}

async function killFunction(cloud: Cloud): Promise<boolean> {
  const hosts = await cloud.functions();
  const pid = hosts[randomInt(0, Math.max(1, hosts.length))];
  if (pid === undefined) return false;
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    // It has ended by itself meanwhile.
    return false;
  }
}
