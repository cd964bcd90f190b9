/**
 * What a guarantee is made of, beside its rows, conditions and deduplicator: everything that the
 * rest of the project asks of a route because of its guarantee. A fourth guarantee is a folder with
 * these parts, an adapter and an entry of its name, and a line in `index.ts`.
 */
import type { JsonObject } from '../base/json.ts';
import type { EpochMillis } from '../base/time.ts';
import type { Route } from '../config/route.ts';
import type { IdSource } from '../config/sources.ts';
import type { Delivery } from '../message/envelope.ts';
import type { MessageId, MessageKey } from '../message/id.ts';
import type { Fault } from '../message/reasons.ts';
import type { MessageTable } from '../tables/schema.ts';
import type { PinDefinition } from './pins.ts';

/** Where a message stands, and what its guarantee reads from it. */
interface Content<Facts> {
  /** None where a value is known by its topic. */
  readonly id: MessageId | undefined;
  readonly key: MessageKey;
  readonly facts: Facts;
}

type ContentReading<Facts> =
  | ({ readonly ok: true } & Content<Facts>)
  | ({ readonly ok: false; readonly id?: MessageId } & Fault);

export interface Guarantee<R extends Route, Facts> {
  /** The table that its messages stand in. */
  readonly table: MessageTable;
  /** What its functions may do to that table: no row is ever deleted by a function. */
  readonly tableActions: readonly string[];
  /** Whether its messages have ids, which devices release and ask for. */
  readonly hasIds: boolean;
  /** Whether copies in one batch are handled one by one, because the arrival of each counts. */
  readonly countsArrivals: boolean;
  /** Whether a message can be too old to be booked anew. */
  readonly canBeLate: boolean;
  /** Whether the body has to be a JSON object; other routes take any payload. */
  needsJson(route: R): boolean;
  read(route: R, delivery: Delivery, device: string, body: JsonObject): ContentReading<Facts>;
  /** The message's own time, where it has one. */
  timeOf(facts: Facts): EpochMillis | null;
  ageMillisMax(route: R): number;
  /**
   * The name that receivers remember.
   * @param owner the delivery that the message is known by
   */
  forwardId(
    route: R,
    message: { readonly key: MessageKey; readonly device: string; readonly facts: Facts },
    owner: string,
  ): string;
  /** The fields of the body that a route reads, by what reads them. */
  sources(route: R): readonly (readonly [by: string, source: IdSource])[];
  /** What the lock pins, by the names of the configuration. */
  readonly pins: Readonly<Record<string, PinDefinition<R>>>;
  /** What becomes of messages under way when a route of it is renamed. */
  readonly renamed: string;
}
