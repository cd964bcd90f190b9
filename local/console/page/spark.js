/** Deliveries of the last minute, copies among them, as bars of one SVG image. */
import { shape } from './dom.js';

const WIDTH = 240;
const HEIGHT = 36;

/** @param seconds pairs of deliveries and copies, the oldest first */
export function drawSpark(svg, seconds) {
  const most = Math.max(1, ...seconds.map(([deliveries]) => deliveries));
  const step = WIDTH / seconds.length;
  const bars = seconds.flatMap(([deliveries, copies], index) => [
    bar('deliveries', index * step, step, deliveries / most),
    bar('copies', index * step, step, Math.min(1, copies / most)),
  ]);
  svg.replaceChildren(...bars.filter((one) => one !== undefined));
}

function bar(name, x, step, share) {
  if (share === 0) return undefined;
  const height = Math.max(1, share * HEIGHT);
  return shape('rect', {
    class: name,
    x: x.toFixed(1),
    y: (HEIGHT - height).toFixed(1),
    width: (step - 1).toFixed(1),
    height: height.toFixed(1),
  });
}
