/** The questions that the page asks and the wishes it has, apart from HTTP. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { LocalCloud } from '../cloud.ts';
import type { FleetController } from '../fleet/controller.ts';
import { readFaults, readFleetWish, WishError } from './controls.ts';
import type { Journal } from './journal.ts';
import type { LedgerFilter, LedgerPages } from './ledger-pages.ts';
import { hashName, type Life, lifeName } from './message-timeline.ts';
import type { QuarantinePages } from './quarantine-pages.ts';
import { FIELD_CHARS_MAX, shown, shownBytes } from './text.ts';

export interface ApiParts {
  readonly cloud: LocalCloud;
  readonly journal: Journal;
  readonly ledger: LedgerPages;
  readonly quarantine: QuarantinePages;
  readonly desk: FleetController;
  /** Told of the new faults. */
  readonly changed: () => void;
}

/** What a GET gives; undefined where there is nothing of that name. */
export async function ask(
  parts: ApiParts,
  path: string,
  query: URLSearchParams,
): Promise<object | undefined> {
  switch (path) {
    case '/api/ledger':
      return parts.ledger.page(filterOf(query), query.get('cursor') ?? undefined);
    case '/api/ledger/totals':
      return parts.ledger.totals(filterOf(query));
    case '/api/quarantine':
      return parts.quarantine.list();
    case '/api/quarantine/row':
      return parts.quarantine.detail({ pk: part(query, 'pk'), sk: part(query, 'sk') });
    case '/api/message':
      return message(parts, query);
    case '/api/reconciliation':
      return (await parts.desk.reconcile()) ?? { isNone: true };
  }
  return undefined;
}

/** What a POST changes; undefined where there is nothing of that name. */
export async function change(
  parts: ApiParts,
  path: string,
  body: unknown,
): Promise<object | undefined> {
  switch (path) {
    case '/api/token':
      // Whoever has come this far has the token.
      return {};
    case '/api/faults': {
      const wish = readFaults(body);
      parts.cloud.faults = { ...parts.cloud.faults, ...wish };
      parts.changed();
      return { faults: parts.cloud.faults };
    }
    case '/api/fleet': {
      const status = await parts.desk.fulfil(readFleetWish(body));
      parts.changed();
      return { fleet: status };
    }
  }
  return undefined;
}

const PART_CHARS_MAX = 2_048;

function part(query: URLSearchParams, name: string): string {
  const value = query.get(name) ?? '';
  if (value !== '' && value.length <= PART_CHARS_MAX && value.isWellFormed()) return value;
  throw new WishError(`${name} must be given, with up to ${PART_CHARS_MAX} characters.`);
}

function filterOf(query: URLSearchParams): LedgerFilter {
  if (query.has('device')) {
    return { kind: 'device', route: part(query, 'route'), device: part(query, 'device') };
  }
  if (!query.has('account')) return { kind: 'all' };
  const period = part(query, 'period');
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(period)) {
    throw new WishError('period must be a month, such as 2026-11.');
  }
  return { kind: 'account', account: part(query, 'account'), period };
}

interface MessageShown {
  readonly title: string;
  readonly life: Life;
  /** Attributes of the ledger's row, by name; empty where there is none. */
  readonly row: readonly (readonly [name: string, value: string])[];
}

async function message(
  { journal, ledger }: ApiParts,
  query: URLSearchParams,
): Promise<MessageShown> {
  const nothing: Life = { steps: [], omitted: 0 };
  if (query.has('hash')) {
    const hash = part(query, 'hash');
    const name = journal.lives.nameOf(hash) ?? hashName(hash);
    return { title: `body ${shown(hash)}`, life: journal.lives.get(name) ?? nothing, row: [] };
  }
  const key = { pk: part(query, 'pk'), id: part(query, 'id') };
  const item = await ledger.row(key);
  return {
    title: `${shown(key.pk)} · ${shown(key.id)}`,
    life: journal.lives.get(lifeName(key)) ?? nothing,
    row: Object.entries(item ?? {}).map(([name, value]) => [shown(name), attributeText(value)]),
  };
}

function attributeText(value: AttributeValue): string {
  if (value.S !== undefined) return shown(value.S, FIELD_CHARS_MAX);
  if (value.N !== undefined) return value.N;
  if (value.B !== undefined) return shownBytes(value.B);
  return value.NULL === true ? '–' : shown(JSON.stringify(value), FIELD_CHARS_MAX);
}
