/** @import {Problem, TransportKind} from './types.js' */

/** Refusals that hold for any way to the server. */
const OF_THE_SERVER = new Set([
  ...['server_full', 'server_busy', 'draining', 'server_gone', 'voice_disabled', 'origin_refused', 'host_refused', 'rate_limited'],
  ...['key_needed', 'key_unknown', 'scope_missing', 'token_spent', 'voice_disabled_for_user', 'database_unavailable'],
]);
/** The call that was to go on does not: it has ended, or the server knows it no more. */
const OF_THE_CALL = new Set(['call_ended', 'no_such_call', 'call_not_begun', 'call_token_needed']);
/** Refusals that pass by themselves. */
const PASSING = new Set(['server_full', 'server_busy', 'draining', 'rate_limited', 'database_unavailable']);

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

  /** Another transport may do what this one could not. */
  get isOfTransport() {
    return !OF_THE_SERVER.has(this.code) && !this.isOfCall;
  }

  /** A new call may be begun where this one is over. */
  get isOfCall() {
    return OF_THE_CALL.has(this.code);
  }

  /** The server has no room now and will have some. */
  get isFull() {
    return PASSING.has(this.code);
  }

  /** @returns {Problem} */
  get problem() {
    return { code: this.code, message: this.said, action: this.action };
  }
}

/** What a browser threw while connecting, as a failure of the call. @param {unknown} error @param {TransportKind} kind */
export function failureOf(error, kind) {
  if (error instanceof CallFailure) return error;
  console.error(error);
  return new CallFailure(kind === 'webrtc' ? 'webrtc_failed' : 'unknown');
}
