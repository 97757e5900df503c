/** The settings dialog: shows what is chosen, tells what is changed. */
/** @import {ServerInfo, Settings, Translate} from '../types.js' */
import { Level } from '../level.js';
import { closeMicrophone, devices, openMicrophone } from '../microphone.js';
import { byId, put } from './element.js';

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
  language = byId('set-language', HTMLSelectElement);
  check = byId('check-microphone', HTMLButtonElement);
  meter = byId('microphone-level', HTMLMeterElement);
  /** @type {(() => void) | null} Ends the microphone's check. */
  #stopCheck = null;

  /**
   * @param {() => Settings} settings
   * @param {(change: Partial<Settings>) => void} changed
   * @param {() => number | null} level The caller's level while a call is up.
   */
  constructor(settings, changed, level) {
    this.settings = settings;
    this.level = level;
    /** @type {(element: HTMLElement, read: () => Partial<Settings>) => void} */
    const on = (element, read) => element.addEventListener('change', () => changed(read()));
    on(this.voice, () => ({ voice: this.voice.value }));
    on(this.speed, () => ({ speed: Number(this.speed.value) }));
    on(this.microphone, () => ({ microphone: this.microphone.value }));
    on(this.speaker, () => ({ speaker: this.speaker.value }));
    on(this.playback, () => ({ playback: this.playback.value === 'steady' ? 'steady' : 'low_latency' }));
    on(this.pushToTalk, () => ({ pushToTalk: this.pushToTalk.checked }));
    on(this.captions, () => ({ captions: this.captions.checked }));
    on(this.language, () => ({ language: this.language.value === 'sn' ? 'sn' : 'en' }));
    this.check.addEventListener('click', () => this.#checkMicrophone());
    this.dialog.addEventListener('close', () => this.#stopCheck?.());
    // A press beside the panel closes it.
    this.dialog.addEventListener('click', ({ target }) => target === this.dialog && this.dialog.close());
  }

  /** @param {ServerInfo | null} info @param {Translate} t */
  async open(info, t) {
    this.speed.oninput = () => put(this.speedValue, t('speed_value', { speed: Number(this.speed.value).toFixed(1) }));
    this.#fill(info, t);
    this.dialog.showModal();
    if (this.level() !== null) this.#follow(() => this.level() ?? 0, () => {});
    await this.#fillDevices(t);
  }

  /** @param {ServerInfo | null} info @param {Translate} t */
  #fill(info, t) {
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
    this.language.value = chosen.language;
    this.check.hidden = !navigator.mediaDevices;
  }

  /** @param {Translate} t */
  async #fillDevices(t) {
    const chosen = this.settings();
    const usual = { value: '', text: t('device_default') };
    /** @param {MediaDeviceInfo[]} found @param {string} name */
    const named = (found, name) => found.map((device, i) => ({ value: device.deviceId, text: device.label || `${name} ${i + 1}` }));
    options(this.microphone, [usual, ...named(await devices('audioinput'), t('microphone'))], chosen.microphone);
    options(this.speaker, [usual, ...named(await devices('audiooutput'), t('speaker'))], chosen.speaker);
    byId('speaker-row', HTMLElement).hidden = !('setSinkId' in HTMLMediaElement.prototype);
  }

  /** Opens the microphone while the panel is open, to see that it hears. */
  async #checkMicrophone() {
    if (this.#stopCheck) return;
    const context = new AudioContext();
    try {
      const stream = await openMicrophone(this.settings().microphone);
      const level = new Level(context, stream);
      this.#follow(() => level.read(), () => {
        closeMicrophone(stream);
        context.close();
      });
    } catch {
      // The call itself says what is wrong with the microphone; here the meter stays still.
      context.close();
    }
  }

  /** @param {() => number} read @param {() => void} stop */
  #follow(read, stop) {
    this.#stopCheck?.();
    this.check.hidden = true;
    let frame = 0;
    const draw = () => {
      this.meter.value = read();
      frame = requestAnimationFrame(draw);
    };
    draw();
    this.#stopCheck = () => {
      cancelAnimationFrame(frame);
      stop();
      this.meter.value = 0;
      this.#stopCheck = null;
    };
  }
}

/** @param {HTMLSelectElement} select @param {{value: string, text: string}[]} choices @param {string} chosen */
function options(select, choices, chosen) {
  select.replaceChildren(...choices.map(({ value, text }) => new Option(text, value)));
  select.value = choices.some(({ value }) => value === chosen) ? chosen : '';
}
