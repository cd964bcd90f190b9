/**
 * What the lock pins of a route, and what a change of it does to messages under way, in sentences
 * for a person.
 */
import type { Route } from '../config/route.ts';
import { ignoringText, sourceText } from '../config/source-text.ts';
import type { IdSource } from '../config/sources.ts';

export interface PinDefinition<R extends Route> {
  of(route: R): string | number;
  readonly effect: string;
}

/**
 * The pins that routes of every guarantee have.
 * @param resent what becomes of a message that is sent again and not known any more
 */
export function sharedPins(resent: string) {
  return {
    device: {
      of: (route: Route) => sourceText(route.device),
      effect: `The device is part of every key: each message sent again ${resent}.`,
    },
    guarantee: {
      of: (route: Route) => route.guarantee,
      effect: `Records of the old guarantee stand in another table: each message sent again ${resent}.`,
    },
    sameBody: {
      of: ({ ignoring }: Route) => (ignoring === null ? 'bytes' : ignoringText({ ignoring })),
      effect:
        'Copies of what is recorded already are compared anew from the stored body: a field that counts now turns copies that differ in it into conflicts, and one that no longer counts makes duplicates of what would have been a conflict.',
    },
    topic: {
      of: ({ topic }: Route) => topic,
      effect:
        'What waits in queues and outboxes came on the old topic: it is rejected as wrong-topic for good and nobody can accept it, and a device that still publishes there is disconnected, so that one old message stops it.',
    },
    trustTopicLevel: {
      of: ({ trustTopicLevel }: Route) => (trustTopicLevel === null ? 'no' : 'yes'),
      effect:
        'Whose message it is is decided otherwise: where the topic level is trusted no more, what gateways have sent and not yet seen booked is rejected as wrong-device; where it is trusted now, a client can speak for any device that its policy lets it name.',
    },
  };
}

export function idPin(resent: string) {
  return {
    of: ({ id }: { readonly id: IdSource }) => sourceText(id),
    effect: `Each message sent again gets another id: it ${resent}.`,
  };
}
