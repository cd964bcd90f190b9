/** Faults, fallbacks, dead letters, lost connections: what went wrong, on purpose or not. */
import { byId, make, timeCell, value } from './dom.js';
import { count } from './format.js';

const ROWS_MAX = 200;

export function startNotes() {
  const body = byId('notes');
  const add = (notes) => {
    const rows = notes
      .slice(-ROWS_MAX)
      .map(({ at, what, text }) =>
        make(
          'tr',
          {},
          timeCell(at),
          make('td', {}, make('span', { class: 'badge', 'data-note': what }, what)),
          make('td', { class: 'wrap' }, value(text)),
        ),
      );
    body.prepend(...rows.reverse());
    while (body.rows.length > ROWS_MAX) body.lastElementChild.remove();
    byId('notes-empty').hidden = body.rows.length > 0;
  };
  return {
    begin(notes) {
      body.replaceChildren();
      add(notes);
    },
    add: (events) => add(events.filter(({ kind }) => kind === 'note')),
    counts({ faults }) {
      const items = Object.entries(faults).map(([name, times]) =>
        make('li', {}, make('strong', {}, count(times)), ` ${name}`),
      );
      byId('fault-counts').replaceChildren(...items);
    },
  };
}
