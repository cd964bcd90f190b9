/**
 * The only way that anything gets onto the page: elements with text. Nothing is ever read as HTML,
 * so what a device sends can be nothing but text.
 */

import { clock } from './format.js';

/** The element of the page with this id. */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/**
 * Makes an element.
 * @param attributes `class`, ARIA and data attributes of the page's own; values of devices go into
 * children, as text
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return element;
}

/** A value of a device: kept apart from the text around it, whatever direction it is written in. */
export function value(text, attributes = {}) {
  return make('bdi', attributes, text);
}

/** A button that does something. */
export function button(text, act, attributes = {}) {
  const element = make('button', { type: 'button', ...attributes }, text);
  element.addEventListener('click', act);
  return element;
}

/** Puts a text there unless it stands there, so that nothing is painted or read out in vain. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A shape of an SVG image. */
export function shape(tag, attributes) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, text] of Object.entries(attributes)) element.setAttribute(name, text);
  return element;
}

/** A time of day in a table; a small screen leaves the milliseconds out. */
export function timeCell(millis) {
  const text = clock(millis);
  return make(
    'td',
    { class: 'time' },
    text.slice(0, 8),
    make('span', { class: 'ms' }, text.slice(8)),
  );
}
