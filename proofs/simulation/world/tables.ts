/**
 * The store: DynamoDB's items, conditions and TTL, under the real adapters. Owns every table. One
 * call is one step: what it changes is written down in the history at the moment it lands.
 */
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  type UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { serialIn } from '../check/history.ts';
import type { Plan } from '../plan.ts';
import { holds, type Item, updated } from './expressions.ts';
import { errorNamed, type Shared } from './shared.ts';

export type StoreCommand = DeleteItemCommand | GetItemCommand | PutItemCommand | UpdateItemCommand;

/** What is not written once: copies and releases change these. */
const CHANGING = new Set(['tries', 'lastSeenAt', 'releasedAt', 'windowEndsAtMillis', 'expiresAt']);
const LATE_SWEEP_HOURS_MAX = 48;

export class Tables {
  readonly #shared: Shared;
  readonly #sweep: Plan['sweep'];
  readonly #items = new Map<string, Item>();
  readonly #lateness = new Map<string, number>();
  /** Until then nothing is answered, by the clockwork. */
  downUntil = 0;

  constructor(shared: Shared, sweep: Plan['sweep']) {
    this.#shared = shared;
    this.#sweep = sweep;
  }

  get isDown(): boolean {
    return this.#shared.clockwork.now < this.downUntil;
  }

  /** The items of a table, as they stand. */
  items(table: string): readonly Item[] {
    return [...this.#items]
      .filter(([entry]) => entry.startsWith(`${table} `))
      .map(([, item]) => item);
  }

  /** @throws what the SDK's client throws */
  answer(command: StoreCommand, invocation: number): object {
    if (this.isDown) {
      this.#shared.faults.count('store-down');
      throw errorNamed('InternalServerError', 'the store is down');
    }
    const { input } = command;
    const key = 'Key' in input ? input.Key : input.Item;
    const table = input.TableName ?? '';
    const entry = entryOf(table, key ?? {});
    this.#sweepRow(table, entry);
    const old = this.#items.get(entry);
    if (command instanceof GetItemCommand) return old === undefined ? {} : { Item: old };
    const change = command.input;
    const names = {
      names: change.ExpressionAttributeNames,
      values: change.ExpressionAttributeValues,
    };
    if (!holds(change.ConditionExpression, old, names)) {
      throw refusal(change.ReturnValuesOnConditionCheckFailure, old);
    }
    const item = changedItem(command, key ?? {}, old, names);
    if (item === undefined) this.#items.delete(entry);
    else this.#items.set(entry, item);
    if (table === 'quarantine') this.#noteQuarantined(names.values ?? {}, invocation);
    else this.#note(table, entry, old, item, invocation, command instanceof PutItemCommand);
    return change.ReturnValues === 'ALL_OLD' && old !== undefined ? { Attributes: old } : {};
  }

  #sweepRow(table: string, entry: string): void {
    const item = this.#items.get(entry);
    const expiresAt = Number(item?.expiresAt?.N ?? Number.POSITIVE_INFINITY) * 1_000;
    const { faults, chance, history, clock } = this.#shared;
    if (item === undefined || clock() < expiresAt) return;
    switch (this.#sweep) {
      case 'never':
        faults.count('never-swept');
        return;
      case 'late': {
        const hours = this.#lateness.get(entry) ?? chance.int(1, LATE_SWEEP_HOURS_MAX);
        this.#lateness.set(entry, hours);
        if (clock() < expiresAt + hours * 3_600_000) return;
        faults.count('swept-late');
        break;
      }
      case 'promptly':
        faults.count('swept-promptly');
        break;
    }
    this.#items.delete(entry);
    this.#lateness.delete(entry);
    history.add({
      ...{ kind: 'row', table, entry, change: 'swept', serial: serialOf(item.body) },
      ...{ device: item.device?.S, invocation: -1, changed: [] },
    });
  }

  /**
   * What this write says, though an earlier one of the same body may stand: a message can be
   * refused for one reason today and for another tomorrow.
   */
  #noteQuarantined(values: Item, invocation: number): void {
    const serial = serialOf(values[':body']);
    if (serial === undefined) return;
    const fields = (values[':fields']?.L ?? []).flatMap(({ S }) => S ?? []);
    const booked = serialOf(values[':bookedBody']);
    const reason = values[':reason']?.S ?? '';
    this.#shared.history.add({ kind: 'quarantined', serial, reason, fields, booked, invocation });
  }

  #note(
    table: string,
    entry: string,
    old: Item | undefined,
    item: Item | undefined,
    invocation: number,
    isPut: boolean,
  ): void {
    const { history } = this.#shared;
    const shown = item ?? old ?? {};
    const serial = serialOf(shown.body);
    const isReplaced = isPut || table === 'state';
    const changed = isReplaced ? [] : changesOf(old ?? {}, item ?? {});
    const change =
      item === undefined
        ? 'deleted'
        : old === undefined
          ? 'made'
          : isReplaced
            ? 'replaced'
            : changed.length > 0
              ? 'altered'
              : 'counted';
    const device = shown.device?.S;
    const billed = {
      amount: shown.amount?.N,
      occurredAt: shown.occurredAtMillis && Number(shown.occurredAtMillis.N),
    };
    history.add({
      ...{ kind: 'row', table, entry, change, serial, device, invocation, changed },
      ...(table === 'ledger' && billed),
    });
    if (item?.releasedAt !== undefined && old?.releasedAt === undefined) {
      history.add({ kind: 'released', serial, invocation });
    }
  }
}

function entryOf(table: string, key: Item): string {
  return `${table} ${key.pk?.S} ${key.sk?.S ?? key.id?.S}`;
}

function changedItem(
  command: DeleteItemCommand | PutItemCommand | UpdateItemCommand,
  key: Item,
  old: Item | undefined,
  names: Parameters<typeof holds>[2],
): Item | undefined {
  if (command instanceof DeleteItemCommand) return undefined;
  const { input } = command;
  if ('Item' in input) return input.Item ?? {};
  return 'UpdateExpression' in input
    ? updated(input.UpdateExpression ?? '', key, old, names)
    : undefined;
}

function refusal(returned: string | undefined, old: Item | undefined): Error {
  const isTold = returned === 'ALL_OLD' && old !== undefined;
  return new ConditionalCheckFailedException({
    message: 'The conditional request failed',
    $metadata: {},
    ...(isTold && { Item: old }),
  });
}

function serialOf(body: AttributeValue | undefined): number | undefined {
  if (body === undefined) return undefined;
  return serialIn(body.S ?? Buffer.from(body.B ?? []).toString());
}

function changesOf(old: Item, item: Item): readonly string[] {
  const names = new Set([...Object.keys(old), ...Object.keys(item)]);
  return [...names].filter(
    (name) =>
      !CHANGING.has(name) &&
      old[name] !== item[name] &&
      JSON.stringify(old[name]) !== JSON.stringify(item[name]),
  );
}
