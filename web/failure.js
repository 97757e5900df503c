/** @import {Problem} from './types.js' */

/** Why a call could not be set up. */
export class CallFailure extends Error {
  /**
   * @param {string} code
   * @param {{message?: string, action?: string, retry_s?: number}} [details] The server's own words.
   */
  constructor(code, { message, action, retry_s } = {}) {
    super(message ?? code);
    this.code = code;
    this.action = action;
    this.retry_s = retry_s;
    this.said = message;
  }

  /** The other transport may do what this one could not. */
  get isOfTransport() {
    return this.code.startsWith('webrtc_');
  }

  /** The server has no room now and will have some. */
  get isFull() {
    return this.code === 'server_full' || this.code === 'draining';
  }

  /** @returns {Problem} */
  get problem() {
    return { code: this.code, message: this.said, action: this.action };
  }
}
