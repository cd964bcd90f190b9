/** Figures and times as texts. Amounts are texts from the start: they never become numbers here. */

const counts = new Intl.NumberFormat('en-US');

/** A count, which is a whole number. */
export function count(number) {
  return counts.format(number);
}

/** A decimal with all its digits, thousands apart. */
export function decimal(text) {
  const [, sign, whole, rest] = /^(-?)(\d+)(.*)$/.exec(text) ?? [];
  if (whole === undefined) return text;
  return `${sign}${whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')}${rest}`;
}

/** The time of day of epoch milliseconds, in the time zone of the reader. */
export function clock(millis) {
  const time = new Date(millis);
  const two = (number) => String(number).padStart(2, '0');
  const thousandths = String(time.getMilliseconds()).padStart(3, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${thousandths}`;
}

/** An ISO time without its year, as far as it is one. */
export function shortTime(iso) {
  const [, date, time] = /^\d{4}-(\d\d-\d\d)T(\d\d:\d\d:\d\d)/.exec(iso) ?? [];
  return date === undefined ? iso : `${date} ${time}Z`;
}

/** A chance as a person says it. */
export function percent(chance) {
  return `${Math.round(chance * 1000) / 10} %`;
}
