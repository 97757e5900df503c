/** Small charts, drawn by hand: two lines over time, gaps where nothing was measured. */

const WIDTH = 240;
const HEIGHT = 56;
const EDGE = 3; // room for the round ends of lines
const SVG = 'http://www.w3.org/2000/svg';

/**
 * A path through the values, evenly spaced; null makes a gap, and a value alone a dot.
 *
 * @param {(number | null)[]} values @param {number} most The value at the upper edge.
 */
export function pathOf(values, most) {
  const step = (WIDTH - 2 * EDGE) / Math.max(1, values.length - 1);
  let path = '';
  let isDrawing = false;
  for (const [place, value] of values.entries()) {
    if (value === null) {
      isDrawing = false;
      continue;
    }
    const x = (EDGE + place * step).toFixed(1);
    const y = (HEIGHT - 2 - (HEIGHT - 6) * Math.min(1, value / most)).toFixed(1);
    path += isDrawing ? `L${x} ${y}` : `M${x} ${y}h.1`;
    isDrawing = true;
  }
  return path;
}

/** The next round number above: 1, 2 or 5 with zeros. @param {number} value */
export function roundedUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((round) => round >= value) ?? power;
}

/** @param {{p50: (number | null)[], p95: (number | null)[]}} lines @param {string} label */
export function chart({ p50, p95 }, label) {
  const most = roundedUp(1.2 * Math.max(80, ...p95.map((value) => value ?? 0)));
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('class', 'chart');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  svg.append(
    line('ground', `M0 ${HEIGHT - 2}H${WIDTH}`),
    line('p95', pathOf(p95, most)),
    line('p50', pathOf(p50, most)),
  );
  return { svg, most };
}

/** @param {string} name @param {string} path */
function line(name, path) {
  const element = document.createElementNS(SVG, 'path');
  element.setAttribute('class', name);
  element.setAttribute('d', path);
  element.setAttribute('vector-effect', 'non-scaling-stroke');
  return element;
}
