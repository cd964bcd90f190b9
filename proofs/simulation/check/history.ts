/** What happened in a schedule, in order: all that the checkers read. */
import { createHash } from 'node:crypto';

/** What a device means to say once, as the harness knows it: nothing here is the code's word. */
export interface Meant {
  /** Unique in the schedule, and written into the body. */
  readonly serial: number;
  readonly route: string;
  /** Whose connection it goes out on. */
  readonly by: string;
  /** Whose topic it goes out on. */
  readonly as: string;
  /** What the device calls it; equal names of one device and route are one id. */
  readonly name: string;
  readonly form: 'good' | 'no-id' | 'broken-body' | 'foreign-topic';
  /** The time in the body, epoch milliseconds. */
  readonly ownTime: number;
  /** The number in the body, as its text stands there. */
  readonly amount: string;
}

type Path = 'queue' | 'event';

export type Event =
  | ({ readonly kind: 'meant' } & Meant)
  /** It is on its device's disk: from here on the device owes it. */
  | { readonly kind: 'kept'; readonly device: string; readonly serial: number }
  /** Its body has left the device's disk. */
  | { readonly kind: 'dropped'; readonly device: string; readonly serial: number }
  /** The disk is lost, and these with it. */
  | { readonly kind: 'wiped'; readonly device: string; readonly serials: readonly number[] }
  /** At the end the device still waits for an answer: to a message, or to a release. */
  | { readonly kind: 'waiting'; readonly device: string; readonly serial: number }
  /** A delivery reached a queue, or Lambda's own. `arrival` is the harness's name of it. */
  | {
      readonly kind: 'entered';
      readonly arrival: number;
      readonly serial: number;
      readonly path: Path;
    }
  /** It was handed to the function. */
  | {
      readonly kind: 'handled';
      readonly arrival: number;
      readonly serial: number;
      readonly invocation: number;
      /** Epoch milliseconds: the rule's clock, or what stands for it on the error-action path. */
      readonly receivedAt: number;
    }
  /** The function said that it is done with it. */
  | {
      readonly kind: 'done';
      readonly arrival: number;
      readonly serial: number;
      readonly invocation: number;
    }
  /** At the end it is still in a queue. */
  | { readonly kind: 'stuck'; readonly arrival: number; readonly serial: number }
  /** A row changed. `entry` is its name in the table, to tell rows apart and no more. */
  | {
      readonly kind: 'row';
      readonly table: string;
      readonly entry: string;
      readonly change: 'made' | 'replaced' | 'altered' | 'counted' | 'deleted' | 'swept';
      /** In the body that stands in the row after the change, or stood before it. */
      readonly serial: number | undefined;
      /** The device that the row says it is of. */
      readonly device: string | undefined;
      readonly invocation: number;
      /** Attributes that changed. */
      readonly changed: readonly string[];
      /** What a row of the ledger bills, as the store has it. */
      readonly amount?: string | undefined;
      readonly occurredAt?: number | undefined;
    }
  /** A device releases an id while a PUBLISH of it has no PUBACK, and its connection stands. */
  | { readonly kind: 'released-early'; readonly device: string; readonly serial: number }
  /** A row was marked as released. */
  | {
      readonly kind: 'released';
      readonly serial: number | undefined;
      readonly invocation: number;
    }
  /** A request reached its function. */
  | {
      readonly kind: 'asked';
      /** On whose connection. */
      readonly by: string;
      /** In whose name. */
      readonly as: string;
      readonly invocation: number;
    }
  | {
      readonly kind: 'quarantined';
      readonly serial: number;
      readonly reason: string;
      readonly fields: readonly string[];
      /** The other side of a conflict. */
      readonly booked: number | undefined;
      readonly invocation: number;
    }
  | {
      readonly kind: 'forwarded';
      readonly serial: number;
      readonly invocation: number;
      readonly mark: string | undefined;
    }
  /** The bridge said it; whether the device hears it is another matter. */
  | {
      readonly kind: 'receipt';
      readonly device: string;
      /** Of the body that it names; undefined when no such body was ever sent. */
      readonly serial: number | undefined;
      readonly outcome: string;
      readonly reason: string | undefined;
      readonly fields: readonly string[];
      readonly invocation: number;
    }
  /** The same, heard by the device. */
  | {
      readonly kind: 'told';
      readonly device: string;
      readonly serial: number | undefined;
      readonly outcome: string;
    }
  /** The receiver's handler has done what a forward asks for. */
  | { readonly kind: 'effect'; readonly serial: number }
  /** A line for a person who reads the history; no checker looks at it. */
  | { readonly kind: 'note'; readonly text: string };

export type Past = Event & { readonly at: number };

export class History {
  readonly events: Past[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(event: Event): void {
    this.events.push({ ...event, at: this.#now() });
  }

  /** Equal for equal histories. */
  digest(): string {
    return createHash('sha256').update(JSON.stringify(this.events)).digest('hex');
  }
}

/** The serial that a body or anything with a body in it holds. */
export function serialIn(text: string): number | undefined {
  const [, digits] = /"serial":(\d+)/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
