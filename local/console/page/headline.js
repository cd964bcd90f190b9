/** What the fleet meant, what arrived, what was booked; and the ledger itself, read again. */
import { byId, setText } from './dom.js';
import { clock, count, decimal } from './format.js';
import { ask } from './server.js';

const READ_MILLIS = 2_000;
const SAY_MILLIS = 20_000;

export function startHeadline(say) {
  let headline = null;
  let state = 'idle';
  let read = '';
  let isReading = false;
  let saidAt = 0;

  const reconcile = async () => {
    const now = headline === null ? '' : `${headline.booked} ${headline.deliveries} ${state}`;
    if (headline === null || isReading || now === read) return;
    isReading = true;
    try {
      showReconciliation(await ask('/api/reconciliation'));
      read = now;
    } catch {
      // The next reading says it; the live figures stand meanwhile.
    }
    isReading = false;
  };
  setInterval(reconcile, READ_MILLIS);

  return {
    show(desk) {
      const { fleet } = desk;
      headline = desk.headline;
      const before = state;
      state = fleet?.state ?? 'idle';
      setText(byId('fleet-line'), fleetLine(fleet, headline));
      if (headline === null) return;
      showFigures(headline);
      if (read === '') void reconcile();
      if (before !== state && state === 'idle') {
        void reconcile();
        say(`The fleet has ended. ${spoken(headline)}`);
      } else if (state === 'running' && Date.now() - saidAt > SAY_MILLIS) {
        saidAt = Date.now();
        say(spoken(headline));
      }
    },
  };
}

function spoken({ meant, copies, booked, billedTwice }) {
  return `${meant} meant, ${copies} copies, ${booked} booked, ${billedTwice} billed twice.`;
}

function showFigures(headline) {
  const { meant, deliveries, copies, booked, billedTwice, unit } = headline;
  setText(byId('n-meant'), count(meant));
  setText(byId('n-deliveries'), count(deliveries));
  setText(byId('n-copies'), count(copies));
  setText(byId('n-booked'), count(booked));
  setText(byId('n-twice'), count(billedTwice));
  byId('twice-figure').dataset.state = billedTwice === 0 ? 'good' : 'bad';
  const { meantAmount, bookedAmount, deliveredAmount } = headline;
  setText(
    byId('sums'),
    `Adding up every delivery would bill ${decimal(deliveredAmount)} ${unit}. ` +
      `Meant: ${decimal(meantAmount)} ${unit}. Booked: ${decimal(bookedAmount)} ${unit}.`,
  );
}

function showReconciliation(result) {
  if (result.isNone) return;
  const { rows, missing, billedTwice, isExact } = result;
  const line = byId('reconciliation');
  line.dataset.state = isExact ? 'good' : billedTwice > 0 ? 'bad' : 'waiting';
  const at = clock(Date.now()).slice(0, 8);
  const found = isExact
    ? 'every charge is booked exactly once, to the last digit.'
    : billedTwice > 0
      ? `${count(billedTwice)} billed twice.`
      : `${count(missing)} still under way, none billed twice.`;
  setText(line, `Ledger read at ${at}: ${count(rows)} rows, ${found}`);
}

function fleetLine(fleet, headline) {
  if (fleet === null) return 'The fleet has not run yet.';
  const { state, devices, plan, unreceipted, connectionsCut } = fleet;
  const cuts = `${count(connectionsCut)} connections cut`;
  const open = `${count(unreceipted)} without a receipt`;
  if (state === 'running') {
    return `${devices.length} devices, ${plan.perSecond} charges a second; ${open}; ${cuts}.`;
  }
  if (state === 'finishing') return `Stopping: ${open}; ${cuts}.`;
  const rest = unreceipted === 0 ? 'every charge has its receipt' : `gave up with ${open}`;
  return `The run of ${count(headline?.meant ?? 0)} charges has ended: ${rest}; ${cuts}.`;
}
