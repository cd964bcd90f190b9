/** Forwards from the command line: the same publication as the function's, by the same data plane. */

import { printable } from '../../core/base/printable.ts';
import type { Publisher } from '../../core/tables/ports.ts';
import { createDataPlaneClient } from '../../lambda/adapters/clients.ts';
import { createDataPlane } from '../../lambda/adapters/data-plane.ts';
import type { BridgeClient } from './access.ts';
import { AccessError } from './failures.ts';

/** @throws AccessError where the stack does not say where the data plane is */
export function publisherOf(access: BridgeClient): Publisher {
  const address = access.outputs.DataEndpointAddress;
  if (access.kind === 'aws' && address === undefined) {
    throw new AccessError(
      `the stack ${access.stack}-Ingest has no output DataEndpointAddress, so there is nowhere to publish; deploy it again`,
    );
  }
  return createDataPlane(
    access.client((settings) =>
      createDataPlaneClient({
        ...settings,
        // Here the settings name the local cloud already; on AWS each account has its own host.
        ...(access.kind === 'aws' && { endpoint: `https://${address}` }),
      }),
    ),
  );
}

/** Why a publication failed, in words. The data plane's own refusal names no action. */
export function publishFault(error: unknown, topic: string): string {
  const text = error instanceof Error ? error.message : String(error);
  const shown = printable(text, FAULT_CHARS_MAX);
  const isDenied = /\b(Forbidden|Unauthorized|AccessDenied)\w*Exception/.test(text);
  return isDenied ? `${shown} (it takes iot:Publish on ${printable(topic, 256)})` : shown;
}

const FAULT_CHARS_MAX = 500;

/**
 * What an adapter of the function has wrapped for its queue, as the client threw it: a person wants
 * to read which action is not allowed.
 */
export function unwrapped(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}
