/** How a run stands, in a line: printed while it goes on, and said of a wait that was given up. */
import type { Books } from './books.ts';
import type { Meter } from './meter.ts';
import type { Cloud } from './processes/cloud.ts';
import type { Fleet } from './processes/fleet.ts';
import type { Pressure } from './processes/pressure.ts';
import type { ForwardReceiver } from './processes/receiver.ts';

interface Parts {
  readonly books: Books;
  readonly fleet: Fleet;
  readonly receiver: ForwardReceiver;
  readonly cloud: Cloud;
  readonly pressure: Pressure;
  readonly meter: Meter;
}

export function progressLine(
  { books, fleet, receiver, cloud, pressure, meter }: Parts,
  { outages, redriven }: { readonly outages: number; readonly redriven: number },
): string {
  const { meant, kept, receipts } = books.figures;
  const missing = [...cloud.forwarded].filter((id) => !receiver.effects.has(id)).length;
  const crashes = cloud.counts.get('invocation crash') ?? 0;
  return [
    `${meant} said, ${kept} kept, ${receipts} receipts`,
    `${receiver.effects.size} forwards received and ${missing} not yet`,
    `not taken: ${fleet.unheard.join(', ') || 'nothing'}; ${pressure.line()}`,
    `${fleet.kills} devices and ${crashes} functions killed, ${outages} outages, ${redriven} redriven`,
    meter.line(),
  ].join('; ');
}
