/** Where the time of a turn went: a thin bar that opens into a waterfall. */
/** @import {Latency, Translate} from '../types.js' */
import { make } from './element.js';

const STEPS = /** @type {const} */ (['silence', 'transcript', 'first_token', 'first_audio']);

/** @param {HTMLElement} place @param {Latency | null} latency @param {Translate} t */
export function drawLatency(place, latency, t) {
  place.hidden = !latency;
  // Measured once a turn: what is drawn stays, open or closed.
  if (!latency || place.firstChild) return;
  const steps = stepsOf(latency);
  const button = make('button', 'latency-bar');
  button.setAttribute('type', 'button');
  button.setAttribute('aria-expanded', 'false');
  button.setAttribute('aria-label', t('latency', { ms: latency.first_audio_ms }));
  const bar = button.appendChild(make('span', 'bar'));
  for (const { name, length_ms } of steps) {
    const piece = bar.appendChild(make('i', name));
    piece.style.flexGrow = String(length_ms);
  }
  button.append(make('span', '', t('ms', { ms: latency.first_audio_ms })));
  const rows = waterfall(steps, latency.first_audio_ms, t);
  button.addEventListener('click', () => {
    rows.hidden = !rows.hidden;
    button.setAttribute('aria-expanded', String(!rows.hidden));
    if (!rows.hidden) rows.scrollIntoView({ block: 'nearest' });
  });
  place.append(button, rows);
}

/** @param {Latency} latency @returns {{name: string, start_ms: number, length_ms: number}[]} */
function stepsOf(latency) {
  let start_ms = 0;
  return STEPS.map((name) => {
    const end_ms = Math.max(start_ms, latency[`${name}_ms`]);
    const step = { name, start_ms, length_ms: end_ms - start_ms };
    start_ms = end_ms;
    return step;
  });
}

/** @param {ReturnType<typeof stepsOf>} steps @param {number} whole_ms @param {Translate} t */
function waterfall(steps, whole_ms, t) {
  const rows = make('dl', 'waterfall');
  rows.hidden = true;
  for (const { name, start_ms, length_ms } of steps) {
    const track = make('dd', 'track');
    const piece = track.appendChild(make('i', name));
    piece.style.marginInlineStart = `${(100 * start_ms) / Math.max(1, whole_ms)}%`;
    piece.style.width = `${(100 * length_ms) / Math.max(1, whole_ms)}%`;
    rows.append(make('dt', '', t(`latency_${name}`)), track, make('dd', 'value', t('ms', { ms: length_ms })));
  }
  return rows;
}
