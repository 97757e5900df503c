/**
 * What outlasts a connection: the call that goes on, the last event of it that came, and what
 * was typed and may not have come to the server.
 *
 * A connection that was lost is closed only when the next one stands. Closed before, it might
 * still say goodbye to a server that then does not wait.
 */
/** @import {Numbered, Thread, Transport} from './types.js' */
import { deleteCall } from './server.js';

/** What the server says of typed words that it does not take. */
const NOT_TAKEN = new Set(['busy', 'empty_text', 'text_too_long', 'message_too_large', 'not_in_voice_mode']);

export class Continuation {
  /** The call to be taken up; null to begin a new one. @type {Thread | null} */
  thread = null;
  /** @type {Transport | null} */
  #abandoned = null;
  /** Sent over the present connection, and not yet told as taken. @type {string[]} */
  #typed = [];
  /** Sent over one that is gone. @type {string[]} */
  #unsure = [];
  /** The last event that was missed; null once all of them have come. @type {number | null} */
  #missed = null;

  /** @param {string} text */
  typed(text) {
    this.#typed.push(text);
  }

  /** @param {Numbered} message @returns {string[]} What was typed and did not come: it is to be sent again. */
  told(message) {
    switch (message.type) {
      case 'session.started':
        this.thread = { id: message.session_id, token: message.call_token, after: 0 };
        // Another call has begun, which knows nothing of it.
        this.#begin(0, true);
        break;
      case 'session.resumed':
        this.#begin(message.newest, message.complete);
        break;
      case 'session.ended':
        this.forget();
        break;
      case 'asr.final':
        this.#taken((text) => text.trim() === message.text.trim());
        break;
      case 'error':
        if (NOT_TAKEN.has(message.code)) this.#taken(() => true);
    }
    if (this.thread && message.event_id) this.thread.after = message.event_id;
    return this.#again();
  }

  /** @param {Transport | null} transport */
  abandon(transport) {
    this.release();
    transport?.abandon();
    this.#abandoned = transport;
  }

  /** What was lost is needed no more. */
  release() {
    this.#abandoned?.close();
    this.#abandoned = null;
  }

  /** The conversation is over: the next one has nothing of it. */
  forget() {
    this.thread = null;
    this.#typed = [];
    this.#unsure = [];
  }

  /** The caller hangs up. @param {boolean} isConnected Whether the server is told over a connection. */
  end(isConnected) {
    const { thread } = this;
    this.forget();
    // Else it would wait for the caller.
    if (thread && !isConnected) deleteCall(thread.id, thread.token).catch(() => {});
  }

  /**
   * Over another connection: first comes what was missed.
   *
   * @param {number} newest The last event of it.
   * @param {boolean} isComplete Else it cannot be known what was taken; nothing is said twice.
   */
  #begin(newest, isComplete) {
    this.#unsure = isComplete ? [...this.#unsure, ...this.#typed] : [];
    this.#typed = [];
    this.#missed = newest;
  }

  /** The server has taken this, or will not. @param {(text: string) => boolean} isIt */
  #taken(isIt) {
    const waiting = this.#unsure.some(isIt) ? this.#unsure : this.#typed;
    const at = waiting.findIndex(isIt);
    if (at >= 0) waiting.splice(at, 1);
  }

  /** @returns {string[]} */
  #again() {
    if (this.#missed === null || (this.thread?.after ?? 0) < this.#missed) return [];
    const again = this.#unsure;
    this.#missed = null;
    this.#typed = [...again, ...this.#typed];
    this.#unsure = [];
    return again;
  }
}
