/** A call over WebRTC: audio both ways, messages on the data channel `inzwa`. */
/** @import {ClientMessage, Link, Numbered, Playback, SessionSettings, Thread, Transport, TransportParts} from './types.js' */
import { CallFailure } from './failure.js';
import { PacketStats } from './quality.js';
import { deleteCall, patchCandidates, postCall, resumeCall } from './server.js';

/** A path that is down for so long does not come back by itself. */
const DISCONNECTED_MS = 5000;
/** Candidates come in bursts: one request carries those of so long. */
const BATCH_MS = 40;
/** What the browser's jitter buffer aims at. */
const JITTER_TARGET_MS = { low_latency: 0, steady: 200 };
/** What it, the network and the sound card may still hold beyond that. */
const TAIL_MS = 200;

/** @implements {Transport} */
export class Peer {
  /** @type {'webrtc'} */
  kind = 'webrtc';
  #stats = new PacketStats();
  #closed = false;
  #muted = false;
  /** @type {Playback} */
  #playback = 'low_latency';
  /** @type {{id: string, token?: string} | null} */
  #call = null;
  /** @type {RTCIceCandidateInit[]} */
  #candidates = [];
  /** @type {MediaStream | null} */
  #voice = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #batch;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #disconnected;
  /** @type {(failure: CallFailure) => void} Ends the wait for the connection. */
  #fail = () => {};

  /** @param {TransportParts} parts @param {number} timeout_ms How long a connection may take. */
  constructor(parts, timeout_ms) {
    if (!globalThis.RTCPeerConnection) throw new CallFailure('webrtc_unsupported');
    this.parts = parts;
    this.timeout_ms = timeout_ms;
    this.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    this.channel = this.pc.createDataChannel('inzwa', { ordered: true });
    const track = parts.microphone?.getAudioTracks()[0];
    // Without a microphone the line is the same, it only stays silent: typing works.
    this.line = this.pc.addTransceiver(track ?? 'audio', {
      direction: 'sendrecv',
      streams: parts.microphone ? [parts.microphone] : [],
    });
    this.pc.onicecandidate = ({ candidate }) => candidate?.candidate && this.#trickle(candidate);
    this.pc.onconnectionstatechange = () => this.#watch();
    this.pc.oniceconnectionstatechange = () => this.#watch();
    this.pc.ontrack = ({ track: voice, streams }) => this.#hear(streams[0] ?? new MediaStream([voice]));
    this.channel.onclose = () => this.#lose();
    globalThis.addEventListener('online', this.#networkChanged);
  }

  /** @param {SessionSettings} settings @param {AbortSignal} signal @param {Thread | null} thread */
  async connect(settings, signal, thread) {
    // Browsers look for relays as soon as there is an offer, and not again.
    const iceServers = await this.parts.iceServers(signal, thread);
    if (iceServers.length) this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers });
    await this.pc.setLocalDescription();
    const offer = /** @type {RTCSessionDescription} */ (this.pc.localDescription);
    const answer = thread
      ? await resumeCall(offer, thread, signal)
      : await postCall(offer, settings, await this.parts.credential(signal), signal);
    this.#call = { id: answer.id, token: answer.call_token };
    if (this.#closed) return this.#release();
    const started = this.#started(signal);
    await this.pc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
    this.setPlayback(this.parts.playback);
    this.#sendCandidates();
    await started;
  }

  /** @param {ClientMessage} message */
  send(message) {
    if (this.channel.readyState === 'open') this.channel.send(JSON.stringify(message));
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this.#muted = muted;
    if (this.line.sender.track) this.line.sender.track.enabled = !muted;
  }

  /** @param {MediaStream} stream */
  async setMicrophone(stream) {
    const [track] = stream.getAudioTracks();
    track.enabled = !this.#muted;
    await this.line.sender.replaceTrack(track);
  }

  /** @param {Playback} playback */
  setPlayback(playback) {
    this.#playback = playback;
    if (!('jitterBufferTarget' in this.line.receiver)) return;
    /** @type {{jitterBufferTarget: number | null}} */ (this.line.receiver).jitterBufferTarget = JITTER_TARGET_MS[playback];
  }

  /** @param {string} deviceId */
  async setSpeaker(deviceId) {
    await this.parts.speaker.setSinkId?.(deviceId);
  }

  /** @returns {Promise<Link>} */
  async stats() {
    return this.#stats.read(await this.pc.getStats());
  }

  /** @returns {Promise<void>} */
  finish() {
    return new Promise((resolve) => setTimeout(resolve, JITTER_TARGET_MS[this.#playback] + TAIL_MS));
  }

  abandon() {
    this.#call = null;
    this.#stop();
  }

  close() {
    this.#stop();
    const released = this.#release();
    this.pc.close();
    // The next connection may sound there already.
    if (this.parts.speaker.srcObject === this.#voice) this.parts.speaker.srcObject = null;
    return released;
  }

  #stop() {
    this.#closed = true;
    globalThis.removeEventListener('online', this.#networkChanged);
    clearTimeout(this.#batch);
    clearTimeout(this.#disconnected);
  }

  /** @returns {Promise<void>} */
  async #release() {
    const call = this.#call;
    this.#call = null;
    // A call that the server has ended already is gone: that is what was wanted.
    if (call) await deleteCall(call.id, call.token).catch(() => {});
  }

  /** @param {AbortSignal} signal @returns {Promise<void>} */
  #started(signal) {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      const timer = setTimeout(() => reject(new CallFailure('webrtc_blocked')), this.timeout_ms);
      signal.addEventListener('abort', () => reject(signal.reason));
      this.channel.onmessage = ({ data }) => {
        /** @type {Numbered} */
        const message = JSON.parse(data);
        if (message.type === 'session.started' || message.type === 'session.resumed') {
          clearTimeout(timer);
          resolve();
        }
        // There is nothing left to be deleted.
        if (message.type === 'session.ended') this.#call = null;
        this.parts.onMessage(message);
      };
    });
  }

  /** @param {RTCIceCandidate} candidate */
  #trickle(candidate) {
    this.#candidates.push(candidate.toJSON());
    clearTimeout(this.#batch);
    this.#batch = setTimeout(() => this.#sendCandidates(), BATCH_MS);
  }

  #sendCandidates() {
    if (!this.#call || !this.#candidates.length || this.#closed) return;
    const batch = this.#candidates.splice(0);
    // A candidate that does not arrive may still not be needed; the time limit judges.
    patchCandidates(this.#call.id, batch, this.#call.token).catch(() => {});
  }

  /** @param {MediaStream} voice */
  #hear(voice) {
    this.#voice = voice;
    // Chromium lets remote audio flow only when an element plays it.
    this.parts.speaker.srcObject = voice;
    this.parts.speaker.play().catch(() => {});
    this.parts.onVoice(voice);
  }

  #watch() {
    clearTimeout(this.#disconnected);
    if (this.pc.connectionState === 'failed' || this.pc.iceConnectionState === 'failed') this.#lose();
    else if (this.pc.iceConnectionState === 'disconnected') {
      this.#disconnected = setTimeout(() => this.#lose(), DISCONNECTED_MS);
    }
  }

  /** On another network the path does not come back: the wait for that ends. */
  #networkChanged = () => {
    if (this.pc.iceConnectionState === 'disconnected') this.#lose();
  };

  #lose() {
    if (this.#closed) return;
    this.#fail(new CallFailure('webrtc_blocked'));
    this.parts.onLost();
  }
}
