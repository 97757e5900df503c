/**
 * Acts on a call: opens the microphone, dials, falls back, dials again.
 *
 * What follows from what is decided in `call.js`; this file only does it and
 * reports. One dialling owns one AbortController: hanging up aborts it, and
 * whatever it was waiting for comes to nothing.
 */
/** @import {ClientMessage, Event, Numbered, Options, Playback, ServerInfo, SessionSettings, State, Transport, TransportKind} from './types.js' */
/** @import {Access} from './access.js' */
import { isSilenced, isUp } from './call.js';
import { Continuation } from './continuation.js';
import { CallFailure, failureOf } from './failure.js';
import { Levels } from './levels.js';
import { Microphone } from './microphone.js';
import { Peer } from './peer.js';
import { fetchInfo, relays } from './server.js';
import { Socket } from './socket.js';

const MEASURE_MS = 2000;

export class Session {
  /** @type {ServerInfo | null} */
  info = null;
  /** @type {MediaStream | null} */
  voice = null;
  levels = new Levels();
  /** @type {Transport | null} */
  #transport = null;
  #going = new Continuation();
  /** @type {AudioContext | null} */
  #context = null;
  #microphone = new Microphone(() => this.dispatch({ type: 'microphone.lost' }));
  /** @type {AbortController | null} */
  #dialling = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #redial;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #measuring;

  /**
   * @param {object} wiring
   * @param {() => State} wiring.state
   * @param {(event: Event) => void} wiring.dispatch
   * @param {HTMLAudioElement} wiring.speaker
   * @param {() => {session: SessionSettings, microphone: string, speaker: string, playback: Playback}} wiring.choices
   * @param {Access} wiring.access
   * @param {Options} wiring.options
   */
  constructor({ state, dispatch, speaker, choices, access, options }) {
    this.state = state;
    this.dispatch = dispatch;
    this.speaker = speaker;
    this.choices = choices;
    this.access = access;
    this.options = options;
    navigator.mediaDevices?.addEventListener('devicechange', () => this.#microphone.look());
    // What waited for the network waits no longer.
    globalThis.addEventListener('online', () => this.state().phase === 'reconnecting' && this.#dialAgain());
  }

  /** To be called from the press itself: browsers let sound start only then. @param {{typing?: boolean}} [how] */
  async call({ typing = false } = {}) {
    if (this.state().phase !== 'error') this.#going.forget();
    this.dispatch({ type: 'call.asked', at: now() });
    if (this.state().phase !== 'asking') return;
    this.#silence();
    const dialling = (this.#dialling = new AbortController());
    this.#context = new AudioContext({ latencyHint: 'interactive' });
    this.#context.resume();
    try {
      if (!typing && !(await this.#microphone.open(this.choices().microphone))) return;
      this.dispatch({ type: 'microphone.ready', kind: typing ? 'none' : 'live' });
      await this.#dial(dialling);
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      this.dispatch({ type: 'microphone.refused', problem: error.problem });
      this.#silence();
    }
  }

  hangUp() {
    this.send({ type: 'stop' });
    this.#going.end(isUp(this.state())); // a transport that is only connecting tells nobody
    this.dispatch({ type: 'call.hung_up', at: now() });
    this.#silence();
  }

  /** A typed message, which comes to the server whatever becomes of the connection. @param {string} text */
  say(text) {
    this.#going.typed(text);
    this.send({ type: 'text', text });
    this.dispatch({ type: 'text.sent', text });
  }

  /** @param {ClientMessage} message */
  send(message) {
    this.#transport?.send(message);
  }

  /** Brings the microphone in line with mute and push-to-talk. */
  applyMute() {
    const silenced = isSilenced(this.state());
    this.#microphone.stream?.getTracks().forEach((track) => (track.enabled = !silenced));
    this.#transport?.setMuted(silenced);
  }

  /** @param {Playback} playback */
  setPlayback(playback) {
    this.#transport?.setPlayback(playback);
  }

  /** @param {string} deviceId */
  async setSpeaker(deviceId) {
    // A device that has gone is no reason to end a call: the sound stays where it is.
    await this.#transport?.setSpeaker(deviceId).catch(() => {});
  }

  /** A device that does not open leaves the one that works in its place. @param {string} deviceId */
  async setMicrophone(deviceId) {
    if (!this.#microphone.stream) return;
    const use = async (/** @type {MediaStream} */ fresh) => {
      this.dispatch({ type: 'microphone.ready', kind: 'live' });
      this.levels.ofCaller(this.#context, this.#microphone.stream);
      await this.#transport?.setMicrophone(fresh);
      this.applyMute();
    };
    try {
      await this.#microphone.open(deviceId, use);
    } catch (error) {
      if (error instanceof CallFailure) this.dispatch({ type: 'microphone.refused', problem: error.problem });
      // A connection that broke off meanwhile takes no microphone; the next one gets it.
      else if (isUp(this.state())) throw error;
    }
  }

  /** Tries the transports in order, until one connects. @param {AbortController} dialling */
  async #dial(dialling) {
    try {
      this.info ??= await fetchInfo();
      for (const kind of this.#order()) {
        if (dialling.signal.aborted) return;
        this.dispatch({ type: 'transport.trying', transport: kind });
        if (await this.#connect(kind, dialling.signal)) return this.#connected();
      }
    } catch (error) {
      if (dialling.signal.aborted) return;
      if (!(error instanceof CallFailure)) throw error;
      if (!this.#going.thread || !error.isOfCall) return this.#failed(error);
      if (!error.mayBeginAnew) return this.#received({ type: 'session.ended', reason: error.reason ?? 'error' });
      this.#going.thread = null; // it ended meanwhile: another one is begun
      await this.#dial(dialling);
    }
  }

  /** @returns {TransportKind[]} */
  #order() {
    const { transport } = this.options;
    if (transport !== 'auto') return [transport];
    if (this.info && !this.info.webrtc) this.dispatch({ type: 'transport.fell_back', reason: 'webrtc_disabled' });
    // What was blocked a moment ago is not waited for again.
    return this.state().fallback ? ['websocket'] : ['webrtc', 'websocket'];
  }

  /** @param {TransportKind} kind @param {AbortSignal} signal @returns {Promise<boolean>} Whether it stands; false to try the next. */
  async #connect(kind, signal) {
    /** @type {Transport | null} */
    let transport = null;
    try {
      transport = this.#open(kind);
      await transport.connect(this.choices().session, signal, this.#going.thread);
      if (signal.aborted) throw signal.reason;
      return true;
    } catch (error) {
      if (this.#transport === transport) this.#transport = null;
      if (this.#going.thread) transport?.abandon();
      // The next way in is begun with the same start token, once the server has it back.
      await transport?.close();
      if (signal.aborted) throw error;
      const failure = failureOf(error, kind);
      const isLast = kind !== 'webrtc' || this.options.transport !== 'auto';
      if (isLast || !failure.isOfTransport) throw failure;
      this.dispatch({ type: 'transport.fell_back', reason: failure.code });
      return false;
    }
  }

  /** @param {TransportKind} kind @returns {Transport} */
  #open(kind) {
    const context = /** @type {AudioContext} */ (this.#context);
    const parts = {
      context,
      microphone: this.#microphone.stream,
      speaker: this.speaker,
      playback: this.choices().playback,
      iceServers: relays(this.info, this.access),
      credential: (/** @type {AbortSignal} */ signal) => this.access.credential(signal),
      onMessage: (/** @type {Numbered} */ message) => this.#transport === transport && this.#received(message),
      onLost: () => this.#transport === transport && isUp(this.state()) && this.#lost(),
      onVoice: (/** @type {MediaStream} */ stream) => {
        this.voice = stream;
        this.levels.ofVoice(context, stream);
      },
    };
    /** @type {Transport} */
    const transport = kind === 'webrtc' ? new Peer(parts, this.options.connect_timeout_ms) : new Socket(parts);
    this.#transport = transport;
    return transport;
  }

  #connected() {
    this.#dialling = null;
    this.#going.release();
    this.levels.ofCaller(this.#context, this.#microphone.stream);
    this.applyMute();
    this.setSpeaker(this.choices().speaker);
    clearInterval(this.#measuring);
    this.#measuring = setInterval(async () => {
      const link = await this.#transport?.stats();
      if (link) this.dispatch({ type: 'link.measured', link });
    }, MEASURE_MS);
  }

  /** @param {Numbered} message */
  #received(message) {
    this.dispatch({ ...message, at: now() });
    for (const text of this.#going.told(message)) {
      this.send({ type: 'text', text });
      if (message.type === 'session.started') this.dispatch({ type: 'text.sent', text });
    }
    if (message.type === 'session.ended') this.#ended();
    // Who is only read to is not listened to: the microphone is given back.
    if (message.type === 'session.started' && message.voice_mode === 'tts_only') {
      this.#microphone.close();
      this.dispatch({ type: 'microphone.ready', kind: 'none' });
    }
  }

  /** The server has hung up: the caller is not heard any more, its last words still sound. */
  async #ended() {
    this.#microphone.close();
    const transport = this.#transport;
    await transport?.finish();
    if (this.#transport === transport) this.#silence();
  }

  /** A call that was up broke off. */
  #lost() {
    this.#going.abandon(this.#transport);
    this.#transport = null;
    this.#failed(new CallFailure('server_gone'));
  }

  /** Dialling came to nothing. @param {CallFailure} failure */
  #failed(failure) {
    this.#disconnect();
    this.dispatch(failure.event(this.#going.thread !== null, now(), Math.random()));
    this.#afterFailure();
  }

  /** Dials again when the state says so, or lets everything go. */
  #afterFailure() {
    this.#dialling = null;
    const { retryAt } = this.state();
    if (retryAt === null) return this.#silence();
    this.#redial = setTimeout(() => this.#dialAgain(), Math.max(0, retryAt - now()));
  }

  #dialAgain() {
    if (this.#dialling) return;
    clearTimeout(this.#redial);
    this.dispatch({ type: 'call.retried' });
    this.#dial((this.#dialling = new AbortController()));
  }

  #disconnect() {
    clearInterval(this.#measuring);
    this.#transport?.close();
    this.#transport = null;
    this.levels.ofVoice(null, null);
    this.voice = null;
  }

  /** Ends whatever there is. */
  #silence() {
    clearTimeout(this.#redial);
    this.#dialling?.abort();
    this.#dialling = null;
    this.#disconnect();
    this.#going.release();
    this.levels.ofCaller(null, null);
    this.#microphone.close();
    this.#context?.close();
    this.#context = null;
  }
}

/** The clock of `State`, ms. */
export const now = () => Math.round(performance.timeOrigin + performance.now());
