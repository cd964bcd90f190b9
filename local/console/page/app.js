/** Wires the page: tabs, the stream, and who is told of what. */
import { startControls } from './controls.js';
import { byId, setText } from './dom.js';
import { count } from './format.js';
import { startHeadline } from './headline.js';
import { startLedger } from './ledger.js';
import { startLive } from './live.js';
import { startMessage } from './message.js';
import { startNotes } from './notes.js';
import { startQuarantine } from './quarantine.js';
import { startTabs } from './tabs.js';

const say = (text) => setText(byId('said'), text);

const showMessage = startMessage();
const live = startLive(showMessage);
const ledger = startLedger(showMessage);
const quarantine = startQuarantine(showMessage);
const notes = startNotes();
const headline = startHeadline(say);
const controls = startControls(say, () => quarantine.refresh());
startTabs({ ledger: () => ledger.open(), quarantine: () => quarantine.open() });

let dropped = 0;

function connection(state, text) {
  byId('connection').dataset.state = state;
  setText(byId('connection-text'), text);
}

function told({ counts, faults, desk }) {
  live.counts(counts);
  notes.counts(counts);
  headline.show(desk);
  controls.show(faults, desk);
}

const stream = new EventSource('/api/stream');
stream.addEventListener('hello', ({ data }) => {
  const hello = JSON.parse(data);
  connection('open', 'live');
  live.begin(hello.deliveries);
  notes.begin(hello.notes);
  ledger.routes(hello.routes);
  told(hello);
});
stream.addEventListener('turn', ({ data }) => {
  const turn = JSON.parse(data);
  if (turn.dropped > 0) {
    dropped += turn.dropped;
    byId('dropped').hidden = false;
    setText(
      byId('dropped'),
      `${count(dropped)} events were too many for this page; the counts hold`,
    );
  }
  live.add(turn.events);
  notes.add(turn.events);
  told(turn);
});
stream.addEventListener('error', () => connection('lost', 'the local cloud does not answer'));
