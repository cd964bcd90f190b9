/** Checks of a page from inside of it: names of controls, contrast of text, size of the page. */
globalThis.audit = { nameFaults, contrastFaults, overflow, smallTargets };

/** Controls that a screen reader could not name, ids that are not unique, tables without a caption. */
function nameFaults() {
  const faults = [];
  for (const element of document.querySelectorAll('input, select, button, dialog, [role]')) {
    const isRegionOfNews = element.matches('[role=status], [role=alert]');
    if (!isRegionOfNews && nameOf(element).trim() === '') faults.push(`no name: ${start(element)}`);
    for (const attribute of ['aria-controls', 'aria-labelledby']) {
      const id = element.getAttribute(attribute);
      if (id !== null && document.getElementById(id) === null)
        faults.push(`${attribute} names no element: ${id}`);
    }
  }
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`id twice: ${id}`);
  for (const table of document.querySelectorAll('table')) {
    if (table.caption === null) faults.push(`no caption: ${start(table)}`);
  }
  if (document.documentElement.lang === '') faults.push('the page names no language');
  return faults;
}

function nameOf(element) {
  const labelledBy = element.getAttribute('aria-labelledby');
  const named = labelledBy === null ? null : document.getElementById(labelledBy);
  const labels = [...(element.labels ?? [])].map((label) => label.textContent).join(' ');
  return (
    element.getAttribute('aria-label') ?? named?.textContent ?? (labels || element.textContent)
  );
}

function start(element) {
  return element.outerHTML.slice(0, 120);
}

/**
 * Texts whose contrast with what lies behind them is below that of WCAG 2.2, 1.4.3: 4.5, or 3 for
 * large text. Disabled controls are exempt, as they are there.
 */
function contrastFaults() {
  const faults = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.textContent.trim() === '' || !element.checkVisibility()) continue;
    if (element.closest(':disabled, .hidden, option') !== null) continue;
    seen += 1;
    const style = getComputedStyle(element);
    const behind = groundOf(element);
    const [one, other] = [lightOf(over(colourOf(style.color), behind)), lightOf(behind)];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (contrast < (isLarge ? 3 : 4.5)) faults.add(`${contrast.toFixed(2)}: ${start(element)}`);
  }
  // A page without texts would have no faults either.
  if (seen < 40) faults.add(`only ${seen} texts were found`);
  return [...faults];
}

/** Red, green, blue and alpha. */
function colourOf(text) {
  const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue, alpha];
}

function over(top, below) {
  const mix = (part) => top[part] * top[3] + below[part] * (1 - top[3]);
  return [mix(0), mix(1), mix(2), 1];
}

function groundOf(element) {
  if (element === null) return [255, 255, 255, 1];
  const own = colourOf(getComputedStyle(element).backgroundColor);
  return own[3] === 1 ? own : over(own, groundOf(element.parentElement));
}

function lightOf(colour) {
  const [red, green, blue] = colour
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Pixels by which the page is wider than the window. */
function overflow() {
  return document.documentElement.scrollWidth - window.innerWidth;
}

/** Targets of a finger below 24 by 24 pixels (WCAG 2.2, 2.5.8); links in rows aside. */
function smallTargets() {
  const targets = 'button:not(.link), select, input:not([type=checkbox]), .switch';
  return [...document.querySelectorAll(targets)]
    .filter((element) => element.checkVisibility())
    .filter((element) => {
      const { width, height } = element.getBoundingClientRect();
      return width < 24 || height < 24;
    })
    .map(start);
}
