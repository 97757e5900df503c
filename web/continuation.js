/**
 * What outlasts a connection: the call that goes on, and the last event of it that came.
 *
 * A connection that was lost is closed only when the next one stands. Closed before, it might
 * still say goodbye to a server that then does not wait.
 */
/** @import {Numbered, Thread, Transport} from './types.js' */
import { deleteCall } from './server.js';

export class Continuation {
  /** The call to be taken up; null to begin a new one. @type {Thread | null} */
  thread = null;
  /** @type {Transport | null} */
  #abandoned = null;

  /** @param {Numbered} message */
  told(message) {
    if (message.type === 'session.started') this.thread = { id: message.session_id, token: message.call_token, after: 0 };
    if (message.type === 'session.ended') this.thread = null;
    if (this.thread && message.event_id) this.thread.after = message.event_id;
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

  /** The caller hangs up. @param {boolean} isConnected Whether the server is told over a connection. */
  end(isConnected) {
    const { thread } = this;
    this.thread = null;
    // Else it would wait for the caller.
    if (thread && !isConnected) deleteCall(thread.id, thread.token).catch(() => {});
  }
}
