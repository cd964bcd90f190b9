/** The token, the fleet and the faults: what a person may change. */
import { byId, make, setText } from './dom.js';
import { percent } from './format.js';
import { change, takeTokenFromAddress, token } from './server.js';

const FAULTS = [
  ['duplicate', 'Duplicate', 'a rule repeats a message', 0.2],
  ['drop', 'Drop', 'a receipt or forward is lost', 0.2],
  ['delay', 'Delay', 'an action is held back', 0.2],
  ['reorder', 'Reorder', 'a queue hands out another than the oldest', 0.2],
  ['failAction', 'Fail action', 'the error action takes over', 0.05],
  ['throttle', 'Throttle', 'a table refuses', 0.05],
  ['loseAnswer', 'Lose answer', 'a write lands unanswered', 0.05],
  ['crashBeforeWrite', 'Crash before write', 'the function is killed', 0.01],
  ['crashAfterWrite', 'Crash after write', 'the write has landed, the function is killed', 0.01],
];
const CHANCES = [0.01, 0.05, 0.2, 0.5, 1];
/** A delay has to be longer than nothing to be one. */
const DELAY_MILLIS = 3_000;

export function startControls(say, conflictSent) {
  const problem = (text) => setText(byId('problem'), text);
  const showLock = () => {
    const isOpen = token.get() !== undefined;
    byId('locked').hidden = isOpen;
    byId('unlocked').hidden = !isOpen;
    byId('fleet').disabled = !isOpen;
    byId('faults').disabled = !isOpen;
  };
  const wish = async (path, body) => {
    problem('');
    try {
      return await change(path, body);
    } catch (error) {
      if (error.status === 401) token.forget();
      showLock();
      problem(error.message);
      return undefined;
    }
  };
  startToken({ problem, showLock, say });
  const faults = startFaults((patch) => wish('/api/faults', patch));
  const fleet = startFleet(wish, conflictSent);
  return {
    show(known, desk) {
      faults.show(known);
      fleet.show(desk);
    },
  };
}

function startToken({ problem, showLock, say }) {
  const field = byId('token');
  const unlock = async (given) => {
    problem('');
    try {
      await change('/api/token', {}, given);
      token.keep(given);
      field.value = '';
      say('Unlocked.');
    } catch (error) {
      problem(error.status === 401 ? 'This is not the token of this start.' : error.message);
    }
    showLock();
  };
  byId('token-form').addEventListener('submit', (event) => {
    event.preventDefault();
    void unlock(field.value.trim());
  });
  byId('lock').addEventListener('click', () => {
    token.forget();
    showLock();
    field.focus();
  });
  const fromAddress = takeTokenFromAddress();
  addEventListener('hashchange', () => {
    const later = takeTokenFromAddress();
    if (later !== undefined) void unlock(later);
  });
  if (fromAddress === undefined) showLock();
  else void unlock(fromAddress);
}

function startFaults(wish) {
  const list = byId('fault-list');
  const parts = FAULTS.map(([name, title, text, usual]) => {
    const box = make('input', { type: 'checkbox', role: 'switch', id: `fault-${name}` });
    const select = make('select', { 'aria-label': `How often: ${title}` });
    for (const chance of CHANCES) select.append(make('option', { value: chance }, percent(chance)));
    select.value = String(usual);
    const send = () => {
      const chance = box.checked ? Number(select.value) : 0;
      return wish({ [name]: chance, ...(name === 'delay' && { delayMillis: DELAY_MILLIS }) });
    };
    box.addEventListener('change', send);
    select.addEventListener('change', () => {
      if (box.checked) send();
    });
    const label = make('label', { class: 'switch' }, box, make('span', {}, title));
    list.append(make('div', { class: 'fault' }, label, select, make('p', {}, text)));
    return { name, box, select };
  });
  byId('faults-off').addEventListener('click', () =>
    wish(Object.fromEntries(FAULTS.map(([name]) => [name, 0]))),
  );
  return {
    show(known) {
      for (const { name, box, select } of parts) {
        showChance(known[name], box, select);
      }
    },
  };
}

function startFleet(wish, conflictSent) {
  const cutsOn = byId('cuts-on');
  const cuts = byId('cuts');
  let state = 'idle';
  const chance = () => (cutsOn.checked ? Number(cuts.value) : 0);
  const cut = () => {
    if (state === 'running') wish('/api/fleet', { action: 'cut', cuts: chance() });
  };
  cutsOn.addEventListener('change', cut);
  cuts.addEventListener('change', cut);
  byId('fleet-start').addEventListener('click', () =>
    wish('/api/fleet', {
      action: 'start',
      devices: Number(byId('fleet-devices').value),
      perSecond: Number(byId('fleet-rate').value),
      cuts: chance(),
    }),
  );
  byId('fleet-stop').addEventListener('click', () => wish('/api/fleet', { action: 'stop' }));
  byId('conflict').addEventListener('click', async () => {
    if ((await wish('/api/fleet', { action: 'use-an-id-twice' })) !== undefined) conflictSent();
  });
  return {
    show({ fleet, obstacle }) {
      state = fleet?.state ?? 'idle';
      // What another page has switched shows here as well.
      if (state === 'running') showChance(fleet.plan.cuts, cutsOn, cuts);
      byId('fleet-obstacle').hidden = obstacle === null;
      setText(byId('fleet-obstacle'), obstacle ?? '');
      byId('fleet-start').disabled = state !== 'idle' || obstacle !== null;
      byId('fleet-stop').disabled = state !== 'running';
      byId('conflict').disabled = state === 'idle';
      byId('fleet-devices').disabled = state !== 'idle';
      byId('fleet-rate').disabled = state !== 'idle';
    },
  };
}

/** Shows a chance that was set, by this page, another one or the command line. */
function showChance(chance, box, select) {
  box.checked = chance > 0;
  if (chance === 0 || document.activeElement === select) return;
  const text = String(chance);
  const isListed = [...select.options].some((option) => option.value === text);
  if (!isListed) select.append(make('option', { value: text }, percent(chance)));
  select.value = text;
}
