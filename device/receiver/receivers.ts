/** The receivers of one device: they share its connection and its store. Owns the names in use. */
import { quoted } from '../../core/base/printable.ts';
import { ClosedError, InvalidOptionsError } from '../errors.ts';
import { createReceiver, type OwnedReceiver } from './receiver.ts';
import type { Handler, ReceiveOptions, Receiver, ReceiverPorts } from './types.ts';

export class Receivers {
  readonly #ports: ReceiverPorts;
  readonly #isPersistent: boolean;
  readonly #byName = new Map<string, OwnedReceiver>();
  #isClosed = false;

  constructor(
    ports: ReceiverPorts,
    { persistentSession }: { readonly persistentSession: boolean },
  ) {
    this.#ports = ports;
    this.#isPersistent = persistentSession;
  }

  /** @throws InvalidFilterError, InvalidOptionsError, ClosedError */
  receive(filter: string, handler: Handler, options: ReceiveOptions = {}): Receiver {
    if (this.#isClosed) throw new ClosedError('the device is closed; connect again to receive');
    if (!this.#isPersistent && options.qos !== 0) {
      throw new InvalidOptionsError([
        'receive at QoS 1 needs `persistentSession: true` in connect, for without it a broker ' +
          'delivers nothing again; with `qos: 0` messages may be lost',
      ]);
    }
    const name = options.name ?? filter;
    if (this.#byName.has(name)) {
      throw new InvalidOptionsError([
        `a receiver named ${quoted(name, 256)} is at work, and two would take each other’s ` +
          'messages for copies; give this one a name of its own',
      ]);
    }
    const owned = createReceiver(this.#ports, filter, handler, options);
    this.#byName.set(name, owned);
    return {
      get ready() {
        return owned.ready;
      },
      failed: owned.failed,
      unsubscribe: async () => {
        await owned.unsubscribe();
        if (this.#byName.get(name) === owned) this.#byName.delete(name);
      },
    };
  }

  /** To be called before the connection and the store are closed: waits for the handlers under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#byName.values()].map((receiver) => receiver.close()));
  }
}
