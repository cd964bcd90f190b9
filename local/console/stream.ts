/**
 * The live stream to the pages that are open: Server-Sent Events, gathered several times a second.
 * Owns the open responses and what waits for each of them.
 *
 * Invariants: what waits for one page is bounded, the oldest is dropped first, and the page is told
 * how many were; a page that reads slowly holds up neither the cloud nor another page.
 */
import type { ServerResponse } from 'node:http';

export interface StreamHub {
  /** To every page, with the next turn. */
  push(event: object): void;
  /** Takes a response over, its headers sent, and begins with `hello`; false when there are too many. */
  open(response: ServerResponse, hello: object): boolean;
  /** Pages that are open. */
  size(): number;
  /** Ends every stream. */
  close(): void;
}

export interface StreamOptions {
  readonly turnMillis: number;
  /** Something to say with every turn, e.g. counters; asked for only while a page is open. */
  readonly pulse: () => object | undefined;
  readonly streamsMax?: number;
  readonly waitingMax?: number;
}

const STREAMS_MAX = 8;
/** Events that wait for one page. */
const WAITING_MAX = 1_000;
/** What Node.js and the system may hold of one stream before nothing more is written to it. */
const UNSENT_BYTES_MAX = 256 * 1024;

interface Page {
  readonly response: ServerResponse;
  readonly waiting: object[];
  dropped: number;
}

export function createStreamHub(options: StreamOptions): StreamHub {
  const { streamsMax = STREAMS_MAX, waitingMax = WAITING_MAX } = options;
  const pages = new Set<Page>();
  let timer: NodeJS.Timeout | undefined;

  const turn = () => {
    const pulse = options.pulse();
    for (const page of pages) sendTurn(page, pulse);
  };
  const leave = (page: Page) => {
    pages.delete(page);
    if (pages.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  return {
    push(event) {
      for (const page of pages) {
        page.waiting.push(event);
        if (page.waiting.length <= waitingMax) continue;
        page.waiting.shift();
        page.dropped += 1;
      }
    },
    open(response, hello) {
      if (pages.size >= streamsMax) return false;
      const page: Page = { response, waiting: [], dropped: 0 };
      pages.add(page);
      timer ??= setInterval(turn, options.turnMillis).unref();
      response.once('close', () => leave(page));
      response.write(`retry: 1000\n${frame('hello', hello)}`);
      return true;
    },
    size: () => pages.size,
    close() {
      for (const { response } of [...pages]) response.end();
      pages.clear();
      clearInterval(timer);
      timer = undefined;
    },
  };
}

function sendTurn(page: Page, pulse: object | undefined): void {
  const { response, waiting, dropped } = page;
  // A page that does not read gets nothing; what comes meanwhile waits, or is dropped and counted.
  if (response.destroyed || response.writableLength > UNSENT_BYTES_MAX) return;
  if (waiting.length === 0 && pulse === undefined) return;
  const events = waiting.splice(0);
  page.dropped = 0;
  response.write(frame('turn', { dropped, events, ...pulse }));
}

/** JSON has no raw line ends, so one `data` line holds all of it. */
function frame(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
