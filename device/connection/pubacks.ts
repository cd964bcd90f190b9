/** What has to be acknowledged before what comes after it may be. */
interface Place {
  readonly messageId: number;
  isDone: boolean;
}

/**
 * The PUBACKs of one connection. They go out in the order in which their PUBLISH packets were taken,
 * whatever order the work on those ends in (MQTT 3.1.1 and 5, MQTT-4.6.0-2).
 */
export class Pubacks {
  readonly #send: (messageId: number) => void;
  /** In the order of arrival; the first is never done. */
  readonly #places = new Set<Place>();

  constructor(send: (messageId: number) => void) {
    this.#send = send;
  }

  /** Gives the PUBLISH its place; the answer says that it may be acknowledged. */
  take(messageId: number): () => void {
    const place: Place = { messageId, isDone: false };
    this.#places.add(place);
    return () => {
      place.isDone = true;
      for (const first of this.#places) {
        if (!first.isDone) return;
        this.#places.delete(first);
        this.#send(first.messageId);
      }
    };
  }
}
