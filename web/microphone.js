/** The caller's microphone, and what to say when there is none. */
import { CallFailure } from './failure.js';

/** Holds one microphone at a time: the one that was asked for last. */
export class Microphone {
  /** @type {MediaStream | null} */
  stream = null;
  /** How often one was asked for, or given back. */
  #asked = 0;
  #open;
  #onLost;

  /**
   * @param {() => void} onLost The device in use was unplugged, or is no longer allowed.
   * @param {(deviceId: string) => Promise<MediaStream>} [open]
   */
  constructor(onLost, open = openMicrophone) {
    this.#onLost = onLost;
    this.#open = open;
  }

  /**
   * Opens a device in place of the one in use, which goes on until `use` has taken the new one.
   *
   * @param {string} deviceId Empty for the browser's choice.
   * @param {(stream: MediaStream) => unknown} [use]
   * @returns {Promise<boolean>} False if another was asked for meanwhile, or none is wanted any
   *   more: then nothing stays open. Rejects with a `CallFailure`.
   */
  async open(deviceId, use = () => {}) {
    const asked = ++this.#asked;
    const isLast = () => asked === this.#asked;
    const fresh = await this.#open(deviceId).catch((error) => {
      if (isLast()) throw error;
      return null;
    });
    if (!isLast()) stop(fresh);
    if (!isLast() || !fresh) return false;
    const before = this.stream;
    this.stream = fresh;
    fresh.getAudioTracks().forEach((track) => (track.onended = () => this.#lose(fresh)));
    try {
      await use(fresh);
    } finally {
      stop(before);
    }
    return isLast();
  }

  /** Not every browser ends the track of a device that is gone. */
  async look() {
    const { stream } = this;
    const deviceId = stream?.getAudioTracks()[0]?.getSettings().deviceId;
    if (!stream || !deviceId) return;
    const found = await devices('audioinput');
    if (!found.some((device) => device.deviceId === deviceId)) this.#lose(stream);
  }

  close() {
    this.#asked++;
    stop(this.stream);
    this.stream = null;
  }

  /** @param {MediaStream} stream */
  #lose(stream) {
    if (this.stream === stream) this.#onLost();
  }
}

/**
 * Names are empty until a microphone has been allowed.
 *
 * @param {'audioinput' | 'audiooutput'} kind
 */
export async function devices(kind) {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return all.filter((device) => device.kind === kind && device.deviceId);
}

/** @param {string} deviceId @returns {Promise<MediaStream>} */
async function openMicrophone(deviceId) {
  if (!navigator.mediaDevices?.getUserMedia) throw new CallFailure('insecure');
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: deviceId ? { ...audio, deviceId: { ideal: deviceId } } : audio,
    });
  } catch (error) {
    throw new CallFailure(refusal(error));
  }
}

/** @param {MediaStream | null} stream */
function stop(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}

/** @param {unknown} error What getUserMedia threw. */
function refusal(error) {
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'microphone_blocked';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'microphone_missing';
  return 'microphone_busy';
}
