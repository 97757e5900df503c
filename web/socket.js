/** A call over the WebSocket: PCM both ways, messages between. */
/** @import {ClientMessage, Link, Numbered, Playback, SessionSettings, Thread, Transport, TransportParts} from './types.js' */
import { CallFailure } from './failure.js';
import { Lifeline } from './lifeline.js';
import { gradeOfUnderruns } from './quality.js';
import { socketAddress } from './server.js';

const TIMEOUT_MS = 15000;
const OUT_RATE = 24000;
/** How much audio is gathered before it plays. */
const TARGET_MS = { low_latency: 60, steady: 200 };
/** More than this waiting to be sent is stale speech: 2 s of PCM16 at 16 kHz. */
const BACKLOG_BYTES = 64000;
const QUALITY_WINDOW_MS = 10000;
/** How long the last words may take to sound, and what the sound card holds of them. */
const FINISH_MS = 1000;
const TAIL_MS = 100;
/** A close code of our own (4000 to 4999): the call is taken up over another connection. */
const BACK_SOON = 4000;
/** WebSocket close code "try again later" (IANA registry). */
const TRY_AGAIN_LATER = 1013;

/** @type {Record<string, string>} What a message means for sound that has not played yet. */
const COMMANDS = { 'tts.start': 'begin', 'turn.interrupted': 'drop', 'playback.held': 'hold', 'playback.released': 'release' };

/** @implements {Transport} */
export class Socket {
  /** @type {'websocket'} */
  kind = 'websocket';
  #closed = false;
  #muted = false;
  #underruns = 0;
  /** @type {number[]} When sound had gaps. */
  #gaps = [];
  #lifeline = new Lifeline(0);
  /** @type {() => void} All that came has been played. */
  #finished = () => {};
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {AudioWorkletNode | null} */
  #capture = null;
  /** @type {AudioWorkletNode | null} */
  #player = null;
  /** @type {AudioNode | null} */
  #source = null;

  /** @param {TransportParts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /** @param {SessionSettings} settings @param {AbortSignal} signal @param {Thread | null} thread */
  async connect(settings, signal, thread) {
    const { audioWorklet } = this.parts.context;
    if (!audioWorklet) throw new CallFailure('insecure');
    await Promise.all(
      ['capture', 'player'].map((name) => audioWorklet.addModule(new URL(`audio/${name}.js`, import.meta.url))),
    );
    signal.throwIfAborted();
    await this.#greet(await this.#start(settings, signal, thread), signal);
  }

  /** @param {ClientMessage} message */
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this.#muted = muted;
    this.#capture?.port.postMessage({ muted });
  }

  /** @param {MediaStream} stream */
  async setMicrophone(stream) {
    this.#source?.disconnect();
    this.#source = this.parts.context.createMediaStreamSource(stream);
    if (this.#capture) this.#source.connect(this.#capture);
  }

  /** @param {Playback} playback */
  setPlayback(playback) {
    this.#player?.port.postMessage({ target_ms: TARGET_MS[playback] });
  }

  /** @param {string} deviceId */
  async setSpeaker(deviceId) {
    const context = /** @type {AudioContext & {setSinkId?(id: string): Promise<void>}} */ (this.parts.context);
    await context.setSinkId?.(deviceId);
  }

  /** @returns {Promise<Link>} */
  async stats() {
    this.#gaps = this.#gaps.filter((at) => at > performance.now() - QUALITY_WINDOW_MS);
    return { grade: gradeOfUnderruns(this.#gaps.length), underruns: this.#underruns };
  }

  /** @returns {Promise<void>} */
  finish() {
    return new Promise((resolve) => {
      if (!this.#player) return resolve();
      setTimeout(resolve, FINISH_MS);
      this.#finished = () => setTimeout(resolve, TAIL_MS);
      this.#player.port.postMessage({ command: 'finish' });
    });
  }

  abandon() {
    this.#closed = true;
    this.#socket?.close(BACK_SOON);
    this.#silence();
  }

  async close() {
    this.#closed = true;
    this.#socket?.close(1000);
    this.#silence();
  }

  #silence() {
    this.#source?.disconnect();
    for (const worklet of [this.#capture, this.#player]) {
      worklet?.disconnect();
      worklet?.port.postMessage({ command: 'close' });
    }
  }

  /** @param {SessionSettings} settings @param {AbortSignal} signal @param {Thread | null} thread @returns {Promise<ClientMessage>} */
  async #start(settings, signal, thread) {
    /** @type {ClientMessage} */
    const start = { type: 'start', codec: 'pcm16', sample_rate: 16000, out_sample_rate: OUT_RATE };
    if (thread) return { ...start, auth: thread.token, resume: { session_id: thread.id, after: thread.after } };
    const auth = await this.parts.credential(signal);
    return { ...start, ...settings, ...(auth && { auth }) };
  }

  /**
   * Opens the socket, says `start` and waits for `session.started`.
   *
   * @param {ClientMessage} start @param {AbortSignal} signal @returns {Promise<void>}
   */
  #greet(start, signal) {
    return new Promise((resolve, reject) => {
      const socket = (this.#socket = new WebSocket(socketAddress()));
      socket.binaryType = 'arraybuffer';
      const timer = setTimeout(() => reject(new CallFailure('server_gone')), TIMEOUT_MS);
      signal.addEventListener('abort', () => reject(signal.reason));
      socket.onopen = () => this.send(start);
      socket.onclose = ({ code }) => {
        clearTimeout(timer);
        const full = code === TRY_AGAIN_LATER;
        reject(new CallFailure(full ? 'server_full' : 'server_gone', full ? { retry_s: 10 } : {}));
        this.#lose();
      };
      socket.onmessage = ({ data }) => {
        this.#lifeline.heard(performance.now());
        if (data instanceof ArrayBuffer) return this.#player?.port.postMessage(data, [data]);
        /** @type {Numbered} */
        const message = JSON.parse(data);
        if (message.type === 'session.started' || message.type === 'session.resumed') {
          clearTimeout(timer);
          this.#begin(message.out_sample_rate);
          resolve();
        } else if (message.type === 'error' && !this.#player) {
          reject(new CallFailure(message.code, { ...message, retry_s: 10 }));
        }
        const command = COMMANDS[message.type];
        if (command) this.#player?.port.postMessage({ command, turn: 'turn' in message ? message.turn : null });
        this.parts.onMessage(message);
      };
    });
  }

  /** The call is up: sound flows. @param {number} rate Of the server's audio, Hz. */
  #begin(rate) {
    this.#lifeline = new Lifeline(performance.now());
    const { context, microphone, playback } = this.parts;
    this.#player = new AudioWorkletNode(context, 'player', {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions: { rate, target_ms: TARGET_MS[playback] },
    });
    this.#player.port.onmessage = ({ data }) => this.#sounded(data);
    const heard = context.createMediaStreamDestination();
    this.#player.connect(heard);
    this.#player.connect(context.destination);
    this.parts.onVoice(heard.stream);

    this.#capture = new AudioWorkletNode(context, 'capture', { numberOfOutputs: 1, channelCount: 1, channelCountMode: 'explicit' });
    this.#capture.port.onmessage = ({ data }) => this.#speak(data);
    // Some browsers run a worklet only if it leads to the speaker; this one is silent.
    this.#capture.connect(context.destination);
    this.setMuted(this.#muted);
    if (microphone) this.setMicrophone(microphone);
  }

  /** @param {ArrayBuffer} pcm */
  #speak(pcm) {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    const waiting = socket.bufferedAmount;
    const at = performance.now();
    if (this.#lifeline.isDead(waiting, at)) return this.#lose();
    // An update that changes nothing is answered too.
    if (this.#lifeline.isToBeAsked(at)) this.send({ type: 'update' });
    if (waiting <= BACKLOG_BYTES) socket.send(pcm);
    this.#lifeline.sent(socket.bufferedAmount);
  }

  #lose() {
    if (!this.#closed) this.parts.onLost();
  }

  /** @param {'finished' | {turn: number, samples: number, underruns: number}} report */
  #sounded(report) {
    if (report === 'finished') return this.#finished();
    const { turn, samples, underruns } = report;
    if (underruns > this.#underruns) this.#gaps.push(performance.now());
    this.#underruns = underruns;
    this.send({ type: 'played', turn, samples });
  }
}
