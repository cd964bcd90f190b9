/** Forwards: the bridge's own publication of a booked message on a clean topic (I4). */
import type { Route } from './config/route.ts';
import { bookingIdOf, idJson } from './identity.ts';
import type { Message } from './message.ts';
import type { Publication } from './ports.ts';
import { topicFault } from './topics.ts';

export type ForwardReading =
  | { readonly ok: true; readonly publication: Publication }
  | { readonly ok: false; readonly detail: string };

/**
 * The publication of a booking. The body goes in as the text that was sent, so that no number in
 * it changes on the way.
 */
export function forwardOf(
  route: Pick<Route, 'name'>,
  forward: string,
  topic: string,
  message: Message,
): ForwardReading {
  const target = forward.replaceAll(/\{(device|route|topic)\}/g, (_, name: string) => {
    if (name === 'device') return message.device;
    return name === 'route' ? route.name : topic;
  });
  const fault = topicFault(target);
  if (fault !== undefined) {
    return {
      ok: false,
      detail: `the forward's topic ${JSON.stringify(target)} is refused: ${fault}`,
    };
  }
  const bookingId = bookingIdOf(message.key);
  const envelope = [
    '"v":1',
    `"tollbridge-id":${JSON.stringify(bookingId)}`,
    `"route":${JSON.stringify(route.name)}`,
    `"device":${JSON.stringify(message.device)}`,
    `"id":${idJson(message.id)}`,
    `"body":${message.body}`,
  ];
  return {
    ok: true,
    publication: {
      topic: target,
      payload: `{${envelope.join(',')}}`,
      qos: 1,
      userProperties: [['tollbridge-id', bookingId]],
    },
  };
}
