/** Tabs as the ARIA practices describe them: arrows move, Home and End go to the ends. */
import { byId } from './dom.js';

/** @param opened what to do when a view is shown, by its name */
export function startTabs(opened) {
  const tabs = [...document.querySelectorAll('[role=tab]')];
  const show = (shown) => {
    for (const tab of tabs) {
      const isShown = tab === shown;
      tab.setAttribute('aria-selected', String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      byId(tab.getAttribute('aria-controls')).hidden = !isShown;
    }
    opened[shown.id.replace('tab-', '')]?.();
  };
  const move = (event, index) => {
    const next = tabs[(index + tabs.length) % tabs.length];
    event.preventDefault();
    next.focus();
    show(next);
  };
  // What scrolls has to be reached by keyboard, also in browsers that do not see to it themselves.
  for (const scroller of document.querySelectorAll('.scroll, .dialog-body')) scroller.tabIndex = 0;
  tabs.forEach((tab, index) => {
    tab.addEventListener('click', () => show(tab));
    tab.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowRight') move(event, index + 1);
      if (event.key === 'ArrowLeft') move(event, index - 1);
      if (event.key === 'Home') move(event, 0);
      if (event.key === 'End') move(event, tabs.length - 1);
    });
  });
}
