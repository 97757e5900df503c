/** The operator's paths. Paths are relative: a proxy may add a prefix. */
/** @import {EngineStates, Figures, LiveCall, Setting, SpeechWish, WarmUpStep} from './types.js' */
/** @import {ServerInfo} from '../types.js' */

const SILENCE_MS = 8000;

/** An answer that is none: `status` is 0 where no server answered. Without a `message`, the page has words for the `code`. */
export class Refusal extends Error {
  /** @param {number} status @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** Whether a key, or another one, may help. */
  get needsKey() {
    return this.status === 401 || this.status === 403;
  }
}

/** Asks in the name of whoever holds the key, which is kept nowhere else. */
export class Api {
  #key = '';

  /** @param {string} key */
  use(key) {
    this.#key = key;
  }

  /** @param {number} minutes @returns {Promise<Figures>} */
  figures(minutes) {
    return this.#json('GET', `v1/admin/figures?minutes=${minutes}`);
  }

  /** @returns {Promise<LiveCall[]>} */
  async calls() {
    return (await this.#json('GET', 'v1/admin/calls')).calls;
  }

  /** @param {string} id */
  async endCall(id) {
    await this.#ask('DELETE', `v1/admin/calls/${encodeURIComponent(id)}`);
  }

  /** @returns {Promise<EngineStates>} */
  engines() {
    return this.#json('GET', 'v1/admin/engines');
  }

  /** @returns {Promise<Setting[]>} */
  async configuration() {
    return (await this.#json('GET', 'v1/admin/config')).settings;
  }

  /** @returns {Promise<ServerInfo>} */
  info() {
    return this.#json('GET', 'v1/info');
  }

  /** @param {number | null} seconds */
  async drain(seconds) {
    await this.#ask('POST', 'v1/admin/drain', seconds === null ? {} : { seconds });
  }

  async takeCalls() {
    await this.#ask('DELETE', 'v1/admin/drain');
  }

  /** The steps as they come. @returns {AsyncGenerator<WarmUpStep>} */
  async *warmUp() {
    const response = await this.#ask('POST', 'v1/admin/warmup', undefined, null);
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    const decoder = new TextDecoder();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      rest += decoder.decode(value, { stream: !done });
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line);
      if (done) return;
    }
  }

  /** @param {SpeechWish} wish @returns {Promise<Blob>} */
  async speak(wish) {
    return (await this.#speaking(wish)).blob();
  }

  /** What anybody may do needs no key; where it needs one, ours may do. @param {SpeechWish} wish */
  async #speaking(wish) {
    try {
      return await this.#ask('POST', 'v1/tts', wish, null, '');
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 401)) throw error;
    }
    return this.#ask('POST', 'v1/tts', wish, null);
  }

  /** @param {string} method @param {string} path @returns {Promise<any>} */
  async #json(method, path) {
    return (await this.#ask(method, path)).json();
  }

  /**
   * @param {string} method @param {string} path @param {unknown} [body]
   * @param {number | null} [limit_ms] How long the server may take; null where work is asked of it.
   */
  async #ask(method, path, body, limit_ms = SILENCE_MS, key = this.#key) {
    const headers = headersWith(key);
    if (body !== undefined) headers.set('Content-Type', 'application/json');
    let response;
    try {
      response = await fetch(new URL(path, document.baseURI), {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: limit_ms === null ? undefined : AbortSignal.timeout(limit_ms),
      });
    } catch {
      throw new Refusal(0, 'server_gone', '');
    }
    if (response.ok) return response;
    const told = await response.json().catch(() => ({}));
    const message = [told.message, told.action].filter(Boolean).join(' ');
    throw new Refusal(response.status, told.code ?? '', message || `HTTP ${response.status}`);
  }
}

/** @param {string} key */
function headersWith(key) {
  try {
    return new Headers(key ? { Authorization: `Bearer ${key}` } : {});
  } catch {
    throw new Refusal(401, 'key_invalid', ''); // it has characters that no header carries
  }
}
