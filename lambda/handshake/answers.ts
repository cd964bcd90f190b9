/**
 * What a request is answered with. Nothing is answered that is not known: where a table does not
 * answer, neither does the bridge, and the device asks again.
 */

import { bodyHashOf } from '../../core/base/hash.ts';
import type { JsonValue } from '../../core/base/json.ts';
import type { EpochMillis } from '../../core/base/time.ts';
import { keyOf, type MessageId } from '../../core/message/id.ts';
import type { QuarantineReader, Releases } from '../../core/tables/ports.ts';
import { quarantineKeyOf } from '../../core/tables/quarantine-row.ts';
import { releaseOf } from '../../core/tables/release.ts';
import { displayId, type IdFormat, parseReceiptId } from '../../core/wire/receipt-ids.ts';
import type { Receipt } from '../../core/wire/receipts.ts';
import type { AskedMessage, Request } from '../../core/wire/requests.ts';

/** What one request is answered from. */
export interface AnswerDeps {
  readonly route: string;
  readonly idFormat: IdFormat;
  /** None on `latest` routes, where no row is known by an id. */
  readonly messages: Releases | undefined;
  readonly findings: QuarantineReader;
}

/** One question of a request; `isMarked` says whether it changed a row. */
export type Question = () => Promise<{ readonly receipt: Receipt; readonly isMarked: boolean }>;

export function questionsOf(
  deps: AnswerDeps,
  request: Request,
  receivedAt: EpochMillis,
): readonly Question[] {
  const { device } = request;
  switch (request.kind) {
    case 'release':
      return request.ids.map((id) => () => release(deps, device, id, receivedAt));
    case 'query':
      return request.messages.map((asked) => async () => ({
        receipt: await query(deps, device, asked),
        isMarked: false,
      }));
  }
}

/** Completed either way: where there is no row, there is nothing to remember. */
async function release(
  deps: AnswerDeps,
  device: string,
  told: JsonValue,
  receivedAt: EpochMillis,
): ReturnType<Question> {
  const { messages, route } = deps;
  const ids = parseReceiptId(deps.idFormat, told);
  const only = ids.length > 1 ? await theOneThatStands(deps, device, ids) : ids[0];
  const receipt: Receipt = { outcome: 'completed', id: displayId(told) };
  if (only === undefined || messages === undefined) return { receipt, isMarked: false };
  const key = keyOf(route, device, only);
  return { receipt, isMarked: await messages.release(releaseOf(key, receivedAt)) };
}

/** Where one name can mean two rows and both stand, neither is marked: the wrong one could end. */
async function theOneThatStands(
  { messages, route }: AnswerDeps,
  device: string,
  ids: readonly MessageId[],
): Promise<MessageId | undefined> {
  const rows = await Promise.all(ids.map((id) => messages?.find(keyOf(route, device, id))));
  const standing = ids.filter((_, index) => rows[index] !== undefined);
  return standing.length === 1 ? standing[0] : undefined;
}

/**
 * `accepted` of the very body that is booked (I3), `rejected` of one that the quarantine holds. Of
 * all else `unknown`: another body under the id is a conflict once it has arrived, and is then kept.
 */
async function query(
  { messages, findings, route, idFormat }: AnswerDeps,
  device: string,
  { id: told, bodyHash }: AskedMessage,
): Promise<Receipt> {
  const id = told === undefined ? undefined : displayId(told);
  const ids = told === undefined ? [] : parseReceiptId(idFormat, told);
  for (const candidate of ids) {
    const row = await messages?.find(keyOf(route, device, candidate));
    if (row !== undefined && bodyHashOf(row.topic, Buffer.from(row.body)) === bodyHash) {
      return { outcome: 'accepted', id, bodyHash, bookedAt: row.bookedAtMillis };
    }
  }
  for (const candidate of told === undefined ? [undefined] : ids) {
    const finding = await findings.find(quarantineKeyOf(route, device, candidate, bodyHash));
    if (finding === undefined) continue;
    const { reason, detail, fields } = finding;
    return { outcome: 'rejected', id, bodyHash, reason, detail, fields: fields ?? undefined };
  }
  return { outcome: 'unknown', id, bodyHash };
}
