/** @import {Event, Problem, TransportKind} from './types.js' */

/** Refusals that hold for any way to the server. */
const OF_THE_SERVER = new Set([
  ...['server_full', 'server_busy', 'draining', 'server_gone', 'voice_disabled', 'origin_refused', 'host_refused', 'rate_limited'],
  ...['key_needed', 'key_unknown', 'scope_missing', 'token_spent', 'voice_disabled_for_user', 'database_unavailable'],
]);
/** The call that was to go on does not: it has ended, or the server knows it no more. */
const OF_THE_CALL = new Set(['call_ended', 'no_such_call', 'call_not_begun', 'call_token_needed']);
/** Ends that nobody wanted, after which a new call may be begun unasked. */
const MISHAPS = new Set(['connection_lost', 'shutdown', 'error']);
/** Refusals that pass by themselves. */
const PASSING = new Set(['server_full', 'server_busy', 'draining', 'rate_limited', 'database_unavailable']);

/** Why a call could not be set up. */
export class CallFailure extends Error {
  /**
   * @param {string} code
   * @param {{message?: string, action?: string, retry_s?: number, reason?: string}} [details] The server's own words.
   */
  constructor(code, { message, action, retry_s, reason } = {}) {
    super(message ?? code);
    this.code = code;
    this.action = action;
    this.retry_s = retry_s;
    this.said = message;
    /** Why the call that was to go on has ended, where that is known. */
    this.reason = reason;
  }

  /** Another transport may do what this one could not. */
  get isOfTransport() {
    return !OF_THE_SERVER.has(this.code) && !this.isOfCall;
  }

  /** The call that was to go on does not. */
  get isOfCall() {
    return OF_THE_CALL.has(this.code);
  }

  /** A new call may be begun in the place of this one: nobody has ended it. */
  get mayBeginAnew() {
    return this.isOfCall && (this.reason === undefined || MISHAPS.has(this.reason));
  }

  /** The server has no room now and will have some. */
  get isFull() {
    return PASSING.has(this.code);
  }

  /**
   * What it is for the call that was to be connected.
   *
   * @param {boolean} isWaitedFor The server keeps the call for its caller: another time a way in may work.
   * @param {number} at @param {number} chance
   * @returns {Event}
   */
  event(isWaitedFor, at, chance) {
    const { problem } = this;
    if (this.isFull) return { type: 'call.full', problem, retry_s: this.retry_s ?? 10, at, chance };
    if (this.code === 'server_gone' || (isWaitedFor && this.isOfTransport)) return { type: 'call.lost', at, chance };
    return { type: 'call.failed', problem };
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
