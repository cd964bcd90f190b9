/** The ledger: pages of rows, and totals that the server has added up. */
import { button, byId, make, setText, value } from './dom.js';
import { count, decimal, shortTime } from './format.js';
import { ask } from './server.js';

export function startLedger(showMessage) {
  const kind = byId('ledger-kind');
  let filter = {};
  let next = null;
  let isOpened = false;

  const chosen = () => {
    if (kind.value === 'device') {
      return { route: byId('ledger-route').value, device: byId('ledger-device').value };
    }
    if (kind.value === 'account') {
      return { account: byId('ledger-account').value, period: byId('ledger-period').value };
    }
    return {};
  };
  const showPage = async (cursor) => {
    try {
      const page = await ask('/api/ledger', cursor === undefined ? filter : { ...filter, cursor });
      byId('ledger-rows').replaceChildren(...page.rows.map((row) => rowOf(row, showMessage)));
      byId('ledger-empty').hidden = page.rows.length > 0;
      next = page.next;
      byId('ledger-next').disabled = next === null;
      byId('ledger-first').disabled = cursor === undefined;
    } catch (error) {
      setText(byId('ledger-totals-note'), error.message);
    }
  };
  const showTotals = async () => {
    setText(byId('ledger-totals-note'), 'adding up …');
    try {
      const { totals, rows, isPartial } = await ask('/api/ledger/totals', filter);
      byId('ledger-totals').replaceChildren(...totals.map(totalOf));
      const some = isPartial ? 'the first ' : '';
      const more = isPartial ? '; there are more than the console adds up' : '';
      setText(byId('ledger-totals-note'), `Exact sums of ${some}${count(rows)} rows${more}.`);
    } catch (error) {
      byId('ledger-totals').replaceChildren();
      setText(byId('ledger-totals-note'), error.message);
    }
  };
  const show = async () => {
    filter = chosen();
    await showPage(undefined);
    await showTotals();
  };
  const choose = () => {
    for (const label of document.querySelectorAll('.for-device'))
      label.hidden = kind.value !== 'device';
    for (const label of document.querySelectorAll('.for-account'))
      label.hidden = kind.value !== 'account';
  };

  kind.addEventListener('change', choose);
  byId('ledger-period').value = new Date().toISOString().slice(0, 7);
  byId('ledger-show').addEventListener('click', show);
  byId('ledger-form').addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && event.target instanceof HTMLInputElement) void show();
  });
  byId('ledger-first').addEventListener('click', () => showPage(undefined));
  byId('ledger-next').addEventListener('click', () => showPage(next));
  return {
    routes(routes) {
      const billing = routes.filter(({ guarantee }) => guarantee === 'exactly-once');
      const options = billing.map(({ name }) => make('option', { value: name }, name));
      if (byId('ledger-route').options.length === 0) byId('ledger-route').append(...options);
    },
    open() {
      if (isOpened) return;
      isOpened = true;
      void show();
    },
  };
}

function rowOf(row, showMessage) {
  const ask = button('', () => showMessage(row.key), { class: 'link' });
  ask.append(value(row.id));
  return make(
    'tr',
    {},
    make('td', {}, value(row.device)),
    make('td', {}, ask),
    make('td', {}, value(row.account)),
    make('td', { class: 'number' }, decimal(row.amount)),
    make('td', {}, row.unit),
    make('td', { class: 'time' }, shortTime(row.occurredAt)),
    make('td', { class: 'time' }, shortTime(row.bookedAt)),
    make('td', { class: 'number' }, row.tries ?? '–'),
  );
}

function totalOf({ account, unit, rows, amount }) {
  return make(
    'tr',
    {},
    make('td', {}, value(account)),
    make('td', { class: 'number' }, count(rows)),
    make('td', { class: 'number strong' }, decimal(amount)),
    make('td', {}, unit),
  );
}
