/** How each engine is, and how its warm-up goes. */
/** @import {Translate} from '../../types.js' */
/** @import {EngineState, EngineStates, WarmUpStep} from '../types.js' */
import { byId, make, put } from '../../view/element.js';

export class EnginesView {
  #list = byId('engines', HTMLUListElement);
  #steps = byId('warm-steps', HTMLOListElement);
  #told = byId('warm-end', HTMLElement);
  #button = byId('warm-up', HTMLButtonElement);
  /** @type {Map<string, HTMLElement>} */
  #lines = new Map();

  /** @param {EngineStates} now @param {Translate} t */
  draw({ engines, server_memory_mb }, t) {
    this.#list.replaceChildren(...engines.map((engine) => card(engine, t)));
    put(byId('server-memory', HTMLElement), server_memory_mb === null ? '' : t('server_memory', { mb: Math.round(server_memory_mb) }));
  }

  beginWarmUp() {
    byId('warming', HTMLElement).hidden = false;
    this.#button.disabled = true;
    this.#steps.replaceChildren();
    this.#lines.clear();
    put(this.#told, '');
  }

  /** @param {WarmUpStep} step @param {Translate} t */
  drawStep(step, t) {
    const name = `${step.kind}/${step.engine}/${step.step}`;
    let line = this.#lines.get(name);
    if (!line) {
      line = this.#steps.appendChild(make('li', 'step'));
      line.append(make('span', 'step-name', `${t(`kind_${step.kind}`)}, ${step.engine}: ${t(`step_${step.step}`)}`), make('span', 'step-end'));
      this.#lines.set(name, line);
    }
    line.dataset.status = step.status;
    const end = /** @type {HTMLElement} */ (line.lastElementChild);
    if (step.status === 'running') put(end, t('running'));
    else if (step.status === 'ok') put(end, t('ms', { ms: Math.round(step.ms ?? 0) }));
    else put(end, step.message ?? t('failed'));
  }

  /** @param {string} words */
  endWarmUp(words) {
    this.#button.disabled = false;
    put(this.#told, words);
  }
}

/** @param {EngineState} engine @param {Translate} t */
function card(engine, t) {
  const item = make('li', 'engine');
  const head = item.appendChild(make('p', 'engine-head'));
  const state = make('span', 'state', t(`engine_${engine.state}`));
  state.dataset.state = engine.breaker === 'open' ? 'open' : engine.state;
  head.append(make('span', 'kind', t(`kind_${engine.kind}`)), make('strong', '', engine.name), state);
  const facts = [
    engine.model && t('model', { model: engine.model.split('/').at(-1) ?? '' }),
    engine.memory_mb !== null && t('mb', { mb: Math.round(engine.memory_mb) }),
    t('in_flight', { count: engine.in_flight }),
    t('restarts', { count: engine.restarts }),
    engine.breaker && t('breaker', { state: t(`breaker_${engine.breaker.replace('-', '_')}`) }),
  ];
  item.append(make('p', 'soft', facts.filter(Boolean).join(' · ')));
  return item;
}
