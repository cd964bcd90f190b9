/**
 * Who may ask the console, and for what. It listens on loopback, but every page that a browser on
 * this machine has open can send requests there, by its own name or by one that it makes resolve to
 * 127.0.0.1. So: only loopback names are answered, nothing is read by pages of other origins, and
 * whatever changes something needs the token, a JSON body and the console's own origin.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../core/base/time.ts';

/** A refusal: a status and a sentence for a person. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 405 | 411 | 413 | 415 | 421 | 429;
  readonly message: string;
}

export function newToken(): string {
  return randomBytes(24).toString('base64url');
}

/** Another name is a page's attempt to pass for the console (DNS rebinding). */
export function hostRefusal(headers: IncomingHttpHeaders, port: number): Refusal | undefined {
  const { host } = headers;
  const names = ['127.0.0.1', 'localhost', '[::1]'];
  if (host !== undefined && names.some((name) => host.toLowerCase() === `${name}:${port}`)) {
    return undefined;
  }
  const message = `The console answers to ${names.map((name) => `${name}:${port}`).join(', ')} only.`;
  return { status: 421, message };
}

/** Browsers say where a request comes from; what does not say so is no browser, and may read. */
export function originRefusal(headers: IncomingHttpHeaders, port: number): Refusal | undefined {
  const site = headers['sec-fetch-site'];
  const isOwnSite = site === undefined || site === 'same-origin' || site === 'none';
  const { origin } = headers;
  if (isOwnSite && (origin === undefined || isOwn(origin, port))) return undefined;
  return { status: 403, message: 'Pages of other origins get nothing from the console.' };
}

function isOwn(origin: string, port: number): boolean {
  const own = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `http://${name}:${port}`);
  return own.includes(origin);
}

/** What a request that changes something needs beside the above. */
export function changeRefusal(headers: IncomingHttpHeaders, token: string): Refusal | undefined {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    return { status: 415, message: 'The body must be JSON, with Content-Type: application/json.' };
  }
  const given = /^Bearer (\S{1,200})$/.exec(headers.authorization ?? '')?.[1];
  if (given !== undefined && isSame(given, token)) return undefined;
  return {
    status: 401,
    message: 'This needs the token that was printed when the console started.',
  };
}

/** Takes the same time whatever differs; hashes have one length. */
function isSame(one: string, other: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}

/** A bucket of so many requests that fills up again by and by. */
export class RequestRate {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #left: number;
  #at: number;

  constructor(perSecond: number, burst: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#clock = clock;
    this.#left = burst;
    this.#at = clock();
  }

  /** Undefined when one more request is fine. */
  refusal(): Refusal | undefined {
    const now = this.#clock();
    const passed = Math.max(0, now - this.#at) / 1_000;
    this.#left = Math.min(this.#burst, this.#left + passed * this.#perSecond);
    this.#at = now;
    if (this.#left < 1) {
      const message = `More than ${this.#perSecond} requests a second; try again in a moment.`;
      return { status: 429, message };
    }
    this.#left -= 1;
    return undefined;
  }
}
