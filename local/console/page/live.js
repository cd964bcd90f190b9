/** The stream of deliveries with their verdicts, and the counts above it. */
import { button, byId, make, setText, timeCell, value } from './dom.js';
import { count } from './format.js';
import { drawSpark } from './spark.js';

const ROWS_MAX = 200;

const VERDICTS = [
  ['accepted', 'booked'],
  ['resumed', 'found booked by an earlier try of the same delivery'],
  ['duplicate', 'a copy, not booked again'],
  ['conflict', 'the id is used up by another body: quarantined'],
  ['rejected', 'quarantined with its reason'],
  ['stale', 'older than the value that is known'],
];

const OTHERS = [
  ['underWay', 'no verdict yet'],
  ['receipts', 'receipts sent'],
  ['forwards', 'forwards'],
  ['fallbacks', 'fallbacks to the error action'],
  ['failedInvocations', 'functions failed'],
  ['deadLetters', 'dead letters'],
  ['lost', 'lost'],
];

/** A verdict as a badge; the word says it, the colour only repeats it. */
export function badge(verdict) {
  return make(
    'span',
    { class: 'badge', 'data-verdict': verdict ?? 'none' },
    verdict ?? 'under way',
  );
}

export function startLive(showMessage) {
  const body = byId('stream');
  const rows = new Map();
  const verdictFilter = byId('stream-verdict');
  const textFilter = byId('stream-filter');
  const pause = byId('pause');
  const held = [];
  let isPaused = false;

  listCounts(verdictFilter);

  const fits = ({ delivery, verdict }) => {
    const wanted = textFilter.value;
    return (
      (verdictFilter.value === '' || verdict === verdictFilter.value) &&
      (wanted === '' || delivery.device.includes(wanted) || delivery.id.includes(wanted))
    );
  };
  const filter = () => {
    for (const row of rows.values()) row.element.hidden = !fits(row);
  };
  const judge = (row, verdict, detail) => {
    row.verdict = verdict;
    row.cell.replaceChildren(badge(verdict));
    if (detail !== null) row.element.title = detail;
    row.element.hidden = !fits(row);
  };
  const add = (delivery) => {
    const row = rowOf(delivery, showMessage);
    const { element } = row;
    element.hidden = !fits(row);
    rows.set(delivery.seq, row);
    body.prepend(element);
    if (rows.size <= ROWS_MAX) return;
    const [oldest] = rows.keys();
    rows.get(oldest).element.remove();
    rows.delete(oldest);
  };
  const take = (events) => {
    // Of many deliveries at once, only those are drawn that stay; a verdict finds its row or none.
    const deliveries = events.filter(({ kind }) => kind === 'delivery').slice(-ROWS_MAX);
    for (const { delivery } of deliveries) add(delivery);
    for (const { kind, seq, verdict, detail } of events) {
      const row = kind === 'verdict' ? rows.get(seq) : undefined;
      if (row !== undefined) judge(row, verdict, detail);
    }
    byId('stream-empty').hidden = rows.size > 0;
  };

  verdictFilter.addEventListener('change', filter);
  textFilter.addEventListener('input', filter);
  pause.addEventListener('click', () => {
    isPaused = !isPaused;
    pause.setAttribute('aria-pressed', String(isPaused));
    setText(pause, isPaused ? 'Go on' : 'Pause');
    if (!isPaused) take(held.splice(0));
  });

  return {
    begin(deliveries) {
      rows.clear();
      held.length = 0;
      body.replaceChildren();
      take(deliveries.map((delivery) => ({ kind: 'delivery', delivery })));
    },
    add(events) {
      if (!isPaused) return take(events);
      held.push(...events);
      held.splice(0, Math.max(0, held.length - 10 * ROWS_MAX));
    },
    counts(counts) {
      setText(byId('rate'), String(Math.round(counts.perSecond * 10) / 10));
      for (const [name] of VERDICTS) setText(byId(`count-${name}`), count(counts.verdicts[name]));
      for (const [name] of OTHERS) setText(byId(`count-${name}`), count(counts[name]));
      drawSpark(byId('spark'), counts.lastMinute);
    },
  };
}

/** The counts above the stream, and the verdicts to choose from. */
function listCounts(verdictFilter) {
  for (const [name, title] of VERDICTS) {
    verdictFilter.append(make('option', { value: name }, name));
    byId('verdict-counts').append(
      make('li', { title }, badge(name), make('strong', { id: `count-${name}` }, '0')),
    );
  }
  for (const [name, text] of OTHERS) {
    byId('other-counts').append(
      make('li', {}, make('strong', { id: `count-${name}` }, '0'), ` ${text}`),
    );
  }
}

function rowOf(delivery, showMessage) {
  const cell = make('td', {}, badge(delivery.verdict));
  const query = delivery.key ?? { hash: delivery.bodyHash };
  const ask = button('', () => showMessage(query), { class: 'link' });
  ask.append(value(delivery.id === '' ? '(no id)' : delivery.id));
  const element = make(
    'tr',
    {},
    timeCell(delivery.at),
    cell,
    make('td', {}, value(delivery.device)),
    make('td', {}, ask),
    make('td', {}, delivery.route),
    make('td', { class: 'body' }, value(delivery.body)),
  );
  if (delivery.detail !== null) element.title = delivery.detail;
  return { delivery, verdict: delivery.verdict, element, cell };
}
