/** Listens to a microphone outside a call, to see that it hears. */
import { Level } from './level.js';
import { Microphone } from './microphone.js';

export class MicrophoneCheck {
  #microphone = new Microphone(() => this.stop());
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {Level | null} */
  #level = null;

  get isOn() {
    return this.#context !== null;
  }

  /** To be called from a press. @param {string} deviceId @returns {Promise<boolean>} As `Microphone.open`. */
  async start(deviceId) {
    this.#context ??= new AudioContext();
    try {
      return await this.#microphone.open(deviceId, (stream) => this.#measure(stream));
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** @returns {number | null} 0 (silent) to 1 (loud); null while nothing is heard. */
  read() {
    return this.#level?.read() ?? null;
  }

  stop() {
    this.#microphone.close();
    this.#level?.close();
    this.#level = null;
    this.#context?.close();
    this.#context = null;
  }

  /** @param {MediaStream} stream */
  #measure(stream) {
    this.#level?.close();
    this.#level = this.#context && new Level(this.#context, stream);
  }
}
