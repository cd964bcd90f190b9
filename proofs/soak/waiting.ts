/** Waiting that ends: by an order to stop, or with an error. */
import { setTimeout as after } from 'node:timers/promises';

const PATIENCE_MILLIS = 600_000;
const LOOK_MILLIS = 50;

/** Sooner where the run is ended. */
export async function wait(millis: number, ended: AbortSignal): Promise<void> {
  if (millis <= 0 || ended.aborted) return;
  await after(millis, undefined, { signal: ended }).catch(() => {});
}

/** Sooner where it comes about or the run is ended. */
export async function waitUntil(
  isSo: () => boolean,
  millisMax: number,
  ended: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + millisMax;
  while (!ended.aborted && !isSo() && Date.now() < deadline) await wait(LOOK_MILLIS, ended);
}

/** @throws Error where it does not come about in time */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MILLIS;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`waited ${PATIENCE_MILLIS} ms until ${what}`);
    await after(LOOK_MILLIS);
  }
}
