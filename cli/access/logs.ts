/**
 * What the functions logged: on AWS by CloudWatch Logs Insights, which searches any amount and is
 * charged by the byte it scans; at the local cloud by reading the lines that it has kept.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  CloudWatchLogsClient,
  GetQueryResultsCommand,
  paginateFilterLogEvents,
  StartQueryCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { type EpochMillis, epochMillis, toIso } from '../../core/base/time.ts';
import type { Route } from '../../core/config/route.ts';
import { pascalCase } from '../../core/config/route.ts';
import { COPY_NOTE } from '../../core/operations/copy-note.ts';
import { printError } from '../output/print.ts';
import type { BridgeClient } from './access.ts';
import { AccessError } from './failures.ts';

export interface LogRange {
  readonly from: EpochMillis;
  readonly to: EpochMillis;
}

export interface LogLine {
  /** ISO 8601. */
  readonly at: string;
  readonly message: string;
}

/** Copies of one device on one route. */
export interface CopyCount {
  readonly route: string;
  readonly device: string;
  /** Deliveries that found their message booked by another. */
  readonly copies: number;
  /** The messages they were of. */
  readonly messages: number;
}

export interface Logs {
  /** Lines that hold this text, oldest first, up to `LINES_MAX`. */
  find(route: Pick<Route, 'name'>, term: string, range: LogRange): Promise<readonly LogLine[]>;
  /** Devices with the most copies first. */
  copies(routes: readonly Route[], range: LogRange, limit: number): Promise<readonly CopyCount[]>;
}

export const LINES_MAX = 1_000;

export function openLogs(access: BridgeClient): Logs {
  const client = access.client((settings) => new CloudWatchLogsClient(settings));
  return access.kind === 'local' ? localLogs(access, client) : insights(access, client);
}

/** As the construct of a route names the log of its function (`lib/constructs`). */
async function groupOf(access: BridgeClient, { name }: Pick<Route, 'name'>): Promise<string> {
  const pattern = new RegExp(`^Routes${pascalCase(name)}IngestLog[0-9A-F]{8}$`);
  const found = (await access.resources('Ingest')).find(
    ({ type, logicalId }) => type === 'AWS::Logs::LogGroup' && pattern.test(logicalId),
  );
  if (found !== undefined) return found.physicalId;
  throw new AccessError(
    `the stack ${access.stack}-Ingest at ${access.where} has no log group of the route ${name}; is tollbridge.config.ts the one that was deployed?`,
  );
}

const QUERY_PAUSE_MILLIS = 1_000;
const QUERY_POLLS_MAX = 900;

function insights(access: BridgeClient, client: CloudWatchLogsClient): Logs {
  const run = async (routes: readonly Pick<Route, 'name'>[], range: LogRange, text: string) => {
    const logGroupNames = await Promise.all(routes.map((route) => groupOf(access, route)));
    return runQuery(client, logGroupNames, range, text);
  };
  return {
    async find(route, term, range) {
      const text = `fields @timestamp, @message | filter @message like ${quotedTerm(term)} | sort @timestamp asc | limit ${LINES_MAX}`;
      const rows = await run([route], range, text);
      return rows.map((row) => ({
        // Insights writes UTC as `2026-11-20 09:00:51.000`.
        at: `${(row.get('@timestamp') ?? '').replace(' ', 'T')}Z`,
        message: row.get('@message') ?? '',
      }));
    },
    async copies(routes, range, limit) {
      const text =
        `filter message = "${COPY_NOTE}" and ispresent(deliveryId)` +
        ' | stats count_distinct(deliveryId) as copies, count_distinct(id) as messages by route, device' +
        ` | sort copies desc | limit ${limit}`;
      const rows = await run(routes, range, text);
      return rows.map((row) => ({
        route: row.get('route') ?? '',
        device: row.get('device') ?? '',
        copies: Number(row.get('copies')),
        messages: Number(row.get('messages')),
      }));
    },
  };
}

async function runQuery(
  client: CloudWatchLogsClient,
  logGroupNames: readonly string[],
  { from, to }: LogRange,
  queryString: string,
): Promise<readonly ReadonlyMap<string, string>[]> {
  const { queryId } = await client.send(
    new StartQueryCommand({
      logGroupNames: [...logGroupNames],
      startTime: Math.floor(from / 1_000),
      endTime: Math.ceil(to / 1_000),
      queryString,
    }),
  );
  for (let polls = 0; polls < QUERY_POLLS_MAX; polls++) {
    const answer = await client.send(new GetQueryResultsCommand({ queryId }));
    if (answer.status === 'Complete') {
      const bytes = answer.statistics?.bytesScanned ?? 0;
      printError(`logs: Insights scanned ${bytes} bytes, which AWS charges by the gigabyte`);
      return (answer.results ?? []).map(
        (row) => new Map(row.map(({ field = '', value = '' }) => [field, value])),
      );
    }
    if (answer.status !== 'Running' && answer.status !== 'Scheduled') {
      throw new AccessError(
        `the query of CloudWatch Logs Insights ended as ${answer.status}; ask again, or for a shorter time`,
      );
    }
    await pause(QUERY_PAUSE_MILLIS);
  }
  throw new AccessError(
    'the query of CloudWatch Logs Insights did not end within 15 minutes; ask for a shorter time',
  );
}

function localLogs(access: BridgeClient, client: CloudWatchLogsClient): Logs {
  const find: Logs['find'] = async (route, term, { from, to }) => {
    const input = {
      logGroupName: await groupOf(access, route),
      filterPattern: quotedTerm(term),
      startTime: from,
      endTime: to,
    };
    const lines: LogLine[] = [];
    for await (const { events = [] } of paginateFilterLogEvents({ client }, input)) {
      for (const { timestamp = 0, message = '' } of events) {
        lines.push({ at: toIso(epochMillis(timestamp)), message });
      }
    }
    return lines;
  };
  return {
    find: async (...question) => (await find(...question)).slice(0, LINES_MAX),
    async copies(routes, range, limit) {
      const counts: CopyCount[] = [];
      for (const route of routes) {
        counts.push(...countCopies(route.name, await find(route, COPY_NOTE, range)));
      }
      return counts.sort((one, other) => other.copies - one.copies).slice(0, limit);
    },
  };
}

/** What Insights does with the same lines. */
function countCopies(route: string, lines: readonly LogLine[]): readonly CopyCount[] {
  const devices = new Map<string, { deliveries: Set<string>; ids: Set<string> }>();
  for (const { message } of lines) {
    const note = readNote(message);
    if (note?.message !== COPY_NOTE || typeof note.deliveryId !== 'string') continue;
    const device = String(note.device);
    const known = devices.get(device) ?? { deliveries: new Set(), ids: new Set() };
    known.deliveries.add(note.deliveryId);
    known.ids.add(String(note.id));
    devices.set(device, known);
  }
  return [...devices].map(([device, { deliveries, ids }]) => ({
    route,
    device,
    copies: deliveries.size,
    messages: ids.size,
  }));
}

/** A line of Powertools' logger; undefined for any other line. */
export function readNote(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether a text can stand in a query as it is. What a device made may hold quotation marks, and no
 * two query languages escape them alike.
 */
export function isSearchable(term: string): boolean {
  return /^[\w.:-]+$/.test(term);
}

function quotedTerm(term: string): string {
  if (isSearchable(term)) return `"${term}"`;
  throw new AccessError('only letters, digits and . : - _ can be searched for in the logs');
}
