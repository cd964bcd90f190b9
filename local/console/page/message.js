/** The life of one message as a timeline, with its row. */
import { byId, make, setText, value } from './dom.js';
import { clock, count } from './format.js';
import { ask } from './server.js';

const WORDS = {
  delivery: 'delivery',
  fallback: 'fallback',
  write: 'write',
  copy: 'copy',
  refused: 'refused',
  quarantine: 'quarantine',
  forward: 'forward',
  receipt: 'receipt',
  release: 'release',
};

export function startMessage() {
  const dialog = byId('message');
  byId('message-close').addEventListener('click', () => dialog.close());
  // A click beside the sheet closes it; inside, the target is never the dialog itself.
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  return async (query) => {
    try {
      show(await ask('/api/message', query));
    } catch (error) {
      show({
        title: 'Not found',
        life: { steps: [], omitted: 0 },
        row: [],
        problem: error.message,
      });
    }
    if (!dialog.open) dialog.showModal();
  };
}

function show({ title, life, row, problem }) {
  byId('message-title').replaceChildren(value(title));
  const { steps, omitted } = life;
  const first = steps[0]?.at;
  const note =
    problem ??
    (steps.length === 0
      ? 'Nothing of it was seen since the console started; what is left is its row.'
      : `${count(steps.length + omitted)} steps${omitted > 0 ? `, ${count(omitted)} left out` : ''}.`);
  setText(byId('message-note'), note);
  byId('timeline').replaceChildren(...steps.map((step) => stepOf(step, first)));
  byId('row-title').hidden = row.length === 0;
  byId('row').replaceChildren(
    ...row.flatMap(([name, text]) => [make('dt', {}, value(name)), make('dd', {}, value(text))]),
  );
}

function stepOf({ at, kind, text, bodyHash }, first) {
  const hash = bodyHash === null ? '' : ` · body ${bodyHash.slice(0, 8)}`;
  return make(
    'li',
    { 'data-kind': kind },
    make('p', { class: 'when' }, clock(at), make('span', {}, `+${count(at - first)} ms`)),
    make(
      'p',
      { class: 'what' },
      make('strong', {}, WORDS[kind] ?? kind),
      ' ',
      value(text),
      make('span', { class: 'quiet' }, hash),
    ),
  );
}
