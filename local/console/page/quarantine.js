/** The quarantine: the list, and both bodies of a conflict side by side. */
import { button, byId, make, setText, value } from './dom.js';
import { count, shortTime } from './format.js';
import { ask } from './server.js';

export function startQuarantine(showMessage) {
  const problem = (error) => setText(byId('quarantine-note'), error.message);
  const show = async (key) => {
    try {
      const detail = await ask('/api/quarantine/row', key);
      byId('quarantine-detail').replaceChildren(detailOf(detail, showMessage));
    } catch (error) {
      problem(error);
    }
  };
  const refresh = async () => {
    try {
      const { entries, rows, isPartial } = await ask('/api/quarantine');
      byId('quarantine-rows').replaceChildren(...entries.map((entry) => rowOf(entry, show)));
      byId('quarantine-empty').hidden = entries.length > 0;
      const some = isPartial ? `The newest ${count(entries.length)} of ` : '';
      setText(byId('quarantine-note'), `${some}${count(rows)} ${rows === 1 ? 'row' : 'rows'}.`);
    } catch (error) {
      problem(error);
    }
  };
  byId('quarantine-refresh').addEventListener('click', refresh);
  return { open: refresh, refresh };
}

function rowOf(entry, show) {
  const look = button('', () => show(entry.key), { class: 'link' });
  look.append(value(entry.id === '' ? '(no id)' : entry.id));
  return make(
    'tr',
    {},
    make('td', { class: 'time' }, shortTime(entry.receivedAt)),
    make('td', {}, reasonBadge(entry.reason)),
    make('td', {}, value(entry.device)),
    make('td', {}, look),
    make('td', { class: 'body' }, value(entry.detail)),
    make('td', { class: 'number' }, entry.tries),
  );
}

function reasonBadge(reason) {
  const verdict = reason === 'conflict' ? 'conflict' : 'rejected';
  return make('span', { class: 'badge', 'data-verdict': verdict }, reason);
}

function detailOf(detail, showMessage) {
  const { pk } = detail.key;
  const id = detail.key.sk.slice(0, detail.key.sk.lastIndexOf('#'));
  const life = detail.id === '' ? { hash: detail.bodyHash } : { pk, id };
  const came = detail.isConflict ? 'came later, not billed' : 'the body that came';
  const head = [make('th', { scope: 'col' }, 'field')];
  if (detail.isConflict) {
    head.push(make('th', { scope: 'col' }, `booked ${shortTime(detail.bookedAt ?? '')}`));
  }
  head.push(make('th', { scope: 'col' }, came));
  return make(
    'article',
    { class: 'conflict' },
    make(
      'h3',
      {},
      reasonBadge(detail.reason),
      ' ',
      value(detail.device),
      ' · ',
      value(detail.id === '' ? '(no id)' : detail.id),
    ),
    make('p', { class: 'wrap' }, value(detail.detail)),
    make(
      'p',
      { class: 'quiet wrap' },
      `received ${shortTime(detail.receivedAt)}, tries ${detail.tries}, on `,
      value(detail.topic),
      ', from client ',
      value(detail.clientId === '' ? '–' : detail.clientId),
      detail.state === '' ? '' : `; ${detail.state}`,
    ),
    make(
      'section',
      { class: 'scroll short', tabindex: '0', 'aria-label': 'Field by field' },
      make(
        'table',
        { class: 'compare' },
        make(
          'caption',
          { class: 'hidden' },
          detail.isConflict ? 'Both bodies, field by field' : 'The body, field by field',
        ),
        make('thead', {}, make('tr', {}, ...head)),
        make('tbody', {}, ...detail.fields.map((field) => fieldOf(field, detail.isConflict))),
      ),
    ),
    rawOf('The body as it came', detail.bodyRaw),
    ...(detail.bookedRaw === null ? [] : [rawOf('The body that is booked', detail.bookedRaw)]),
    button('The life of this message', () => showMessage(life)),
  );
}

function fieldOf({ path, came, booked, differs }, isConflict) {
  const name = make('th', { scope: 'row' }, value(path === '' ? '(whole body)' : path));
  if (differs) name.append(' ', make('span', { class: 'differs' }, 'differs'));
  const cells = isConflict ? [booked, came] : [came];
  return make(
    'tr',
    differs ? { class: 'different' } : {},
    name,
    ...cells.map((text) =>
      text === null ? make('td', { class: 'quiet' }, 'absent') : make('td', {}, value(text)),
    ),
  );
}

function rawOf(title, text) {
  return make('details', {}, make('summary', {}, title), make('pre', {}, value(text)));
}
