/** The settings dialog: shows what is chosen, tells what is changed. */
/** @import {Problem, ServerInfo, Settings, Translate} from '../types.js' */
import { CallFailure } from '../failure.js';
import { MicrophoneCheck } from '../microphone-check.js';
import { devices } from '../microphone.js';
import { byId, hide, put } from './element.js';
import { wordsOf } from './notice.js';

export class SettingsView {
  dialog = byId('settings', HTMLDialogElement);
  voice = byId('set-voice', HTMLSelectElement);
  speed = byId('set-speed', HTMLInputElement);
  speedValue = byId('speed-value', HTMLOutputElement);
  microphone = byId('set-microphone', HTMLSelectElement);
  speaker = byId('set-speaker', HTMLSelectElement);
  playback = byId('set-playback', HTMLSelectElement);
  pushToTalk = byId('set-push-to-talk', HTMLInputElement);
  captions = byId('set-captions', HTMLInputElement);
  lowData = byId('set-low-data', HTMLInputElement);
  language = byId('set-language', HTMLSelectElement);
  check = byId('check-microphone', HTMLButtonElement);
  meter = byId('microphone-level', HTMLMeterElement);
  refusal = byId('check-problem', HTMLElement);
  #trial = new MicrophoneCheck();
  #frame = 0;

  /**
   * @param {() => Settings} settings
   * @param {(change: Partial<Settings>) => unknown} changed
   * @param {() => number | null} level The caller's level while a call is up.
   * @param {Translate} t
   */
  constructor(settings, changed, level, t) {
    this.settings = settings;
    this.level = level;
    this.t = t;
    /** @type {(element: HTMLElement, read: () => Partial<Settings>) => void} */
    const on = (element, read) => element.addEventListener('change', () => changed(read()));
    on(this.voice, () => ({ voice: this.voice.value }));
    on(this.speed, () => ({ speed: Number(this.speed.value) }));
    on(this.microphone, () => ({ microphone: this.microphone.value }));
    on(this.speaker, () => ({ speaker: this.speaker.value }));
    on(this.playback, () => ({ playback: this.playback.value === 'steady' ? 'steady' : 'low_latency' }));
    on(this.pushToTalk, () => ({ pushToTalk: this.pushToTalk.checked }));
    on(this.captions, () => ({ captions: this.captions.checked }));
    on(this.lowData, () => ({ lowData: this.lowData.checked }));
    on(this.language, () => ({ language: this.language.value === 'sn' ? 'sn' : 'en' }));
    this.microphone.addEventListener('change', () => this.#trial.isOn && this.#checkMicrophone());
    this.check.addEventListener('click', () => this.#checkMicrophone());
    this.dialog.addEventListener('close', () => this.#closed());
    navigator.mediaDevices?.addEventListener('devicechange', () => this.dialog.open && this.#fillDevices());
    // A press beside the panel closes it.
    this.dialog.addEventListener('click', ({ target }) => target === this.dialog && this.dialog.close());
  }

  /** @param {ServerInfo | null} info */
  async open(info) {
    this.speed.oninput = () => put(this.speedValue, this.t('speed_value', { speed: Number(this.speed.value).toFixed(1) }));
    this.#fill(info);
    this.drawProblem(null);
    this.dialog.showModal();
    this.#follow();
    await this.#fillDevices();
  }

  /** A microphone that was chosen and does not open. @param {Problem | null} problem */
  drawProblem(problem) {
    const { what, how } = problem ? wordsOf(problem, this.t) : { what: '', how: '' };
    put(this.refusal, `${what} ${how}`.trim());
    this.refusal.hidden = !problem;
  }

  /** @param {ServerInfo | null} info */
  #fill(info) {
    const { t } = this;
    const chosen = this.settings();
    const named = (info?.voices ?? []).map(({ id, name, language }) => ({ value: id, text: `${name} (${language})` }));
    const usual = info?.voices.find(({ id }) => id === info.default_voice)?.name;
    const first = usual ? `${t('voice_default')}: ${usual}` : t('voice_default');
    options(this.voice, [{ value: '', text: first }, ...named], chosen.voice);
    this.speed.value = String(chosen.speed);
    put(this.speedValue, t('speed_value', { speed: chosen.speed.toFixed(1) }));
    this.playback.value = chosen.playback;
    this.pushToTalk.checked = chosen.pushToTalk;
    this.captions.checked = chosen.captions;
    this.lowData.checked = chosen.lowData;
    this.language.value = chosen.language;
  }

  async #fillDevices() {
    const { t } = this;
    const chosen = this.settings();
    const usual = { value: '', text: t('device_default') };
    /** @param {MediaDeviceInfo[]} found @param {string} name */
    const named = (found, name) => found.map((device, i) => ({ value: device.deviceId, text: device.label || `${name} ${i + 1}` }));
    options(this.microphone, [usual, ...named(await devices('audioinput'), t('microphone'))], chosen.microphone);
    options(this.speaker, [usual, ...named(await devices('audiooutput'), t('speaker'))], chosen.speaker);
    byId('speaker-row', HTMLElement).hidden = !('setSinkId' in HTMLMediaElement.prototype);
  }

  /** Opens the chosen microphone while the panel is open, to see that it hears. */
  async #checkMicrophone() {
    this.drawProblem(null);
    try {
      // Once one is allowed, the browser tells the names of all.
      if (await this.#trial.start(this.microphone.value)) await this.#fillDevices();
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      this.drawProblem(error.problem);
    }
  }

  /** Shows the level of the call's microphone, or else of the one that is checked. */
  #follow() {
    const level = this.level() ?? this.#trial.read();
    hide(this.check, level !== null || !navigator.mediaDevices, this.microphone);
    this.meter.value = level ?? 0;
    this.#frame = requestAnimationFrame(() => this.#follow());
  }

  #closed() {
    cancelAnimationFrame(this.#frame);
    this.#trial.stop();
    this.drawProblem(null);
  }
}

/** @param {HTMLSelectElement} select @param {{value: string, text: string}[]} choices @param {string} chosen */
function options(select, choices, chosen) {
  select.replaceChildren(...choices.map(({ value, text }) => new Option(text, value)));
  select.value = choices.some(({ value }) => value === chosen) ? chosen : '';
}
