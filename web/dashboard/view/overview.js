/** What is read at a glance: calls, loads, and where the time of turns goes. */
/** @import {Translate} from '../../types.js' */
/** @import {Figures, StageName} from '../types.js' */
import { byId, make, put } from '../../view/element.js';
import { chart } from '../chart.js';

const STAGES = /** @type {const} */ (['round_trip', 'silence', 'recognition', 'first_token', 'first_audio']);

export class OverviewView {
  #charts = byId('charts', HTMLElement);

  /** @param {Figures} figures @param {Translate} t */
  draw(figures, t) {
    put(byId('calls-now', HTMLElement), String(figures.calls));
    put(byId('calls-limit', HTMLElement), t('of', { most: figures.calls_limit }));
    fill('calls-meter', figures.calls, t('live_calls'), figures.calls_limit);
    put(byId('cpu-now', HTMLElement), `${Math.round(figures.cpu_percent)} %`);
    fill('cpu-meter', figures.cpu_percent, t('processors'));
    put(byId('memory-now', HTMLElement), `${Math.round(figures.memory_percent)} %`);
    fill('memory-meter', figures.memory_percent, t('memory'));
    const trip = figures.whole.round_trip;
    put(byId('trip-now', HTMLElement), trip ? t('ms', { ms: trip.p50_ms }) : '–');
    put(byId('trip-more', HTMLElement), trip ? t('trip_more', { ms: trip.p95_ms, turns: trip.turns }) : t('no_turns'));
    const pill = byId('taking', HTMLElement);
    pill.hidden = false;
    pill.dataset.taking = String(figures.takes_calls && figures.has_room);
    put(byId('taking-text', HTMLElement), takingOf(figures, t));
    this.#charts.replaceChildren(...STAGES.map((name) => drawn(name, figures, t)));
  }
}

/** Whether new calls are let in, and why not. @param {Figures} figures @param {Translate} t */
export function takingOf({ takes_calls, has_room, late_ms }, t) {
  if (!takes_calls) return t('takes_none');
  return has_room ? t('takes_calls') : t('takes_busy', { ms: Math.round(late_ms) });
}

/** @param {string} id @param {number} value @param {string} label @param {number} [most] */
function fill(id, value, label, most) {
  const meter = byId(id, HTMLMeterElement);
  if (most !== undefined) meter.max = most;
  meter.value = value;
  meter.setAttribute('aria-label', label);
}

/** @param {StageName} name @param {Figures} figures @param {Translate} t */
function drawn(name, figures, t) {
  const whole = figures.whole[name];
  const box = make('figure', `stage-chart ${name}`);
  const title = t(`stage_${name}`);
  const numbers = whole ? t('two_times', { p50: whole.p50_ms, p95: whole.p95_ms }) : '–';
  const caption = box.appendChild(make('figcaption'));
  caption.append(make('span', 'title', title), make('span', 'numbers-now', numbers));
  const of = (/** @type {'p50_ms' | 'p95_ms'} */ which) => figures.parts.map(({ stages }) => stages[name]?.[which] ?? null);
  const { svg, most } = chart({ p50: of('p50_ms'), p95: of('p95_ms') }, `${title}: ${numbers}`);
  box.append(svg, make('span', 'scale', t('ms', { ms: most })));
  return box;
}
