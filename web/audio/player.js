/** The speaker's worklet: plays what the WebSocket brings, tells how much has sounded. */
import { fromPcm16 } from './pcm.js';
import { Playout } from './playout.js';
import { Resampler } from './resampler.js';

const REPORT_S = 0.2;

class Player extends AudioWorkletProcessor {
  /** @param {{processorOptions: {rate: number, target_ms: number}}} options */
  constructor({ processorOptions: { rate, target_ms } }) {
    super();
    this.rate = rate;
    this.resampler = new Resampler(rate, sampleRate);
    this.playout = new Playout(sampleRate, target_ms);
    this.sinceReport = 0;
    /** @type {number | null} */
    this.turn = null;
    this.reported = -1;
    this.isFinishing = false;
    this.isClosed = false;
    this.port.onmessage = ({ data }) => this.#obey(data);
  }

  /** @param {any} data Audio, or a command. */
  #obey(data) {
    if (data instanceof ArrayBuffer) {
      this.playout.push(this.resampler.process(fromPcm16(data)));
    } else if (data.command === 'begin') {
      this.turn = data.turn;
      this.reported = -1;
      this.playout.begin();
    } else if (data.command === 'drop') {
      this.playout.drop();
      this.resampler.reset();
      this.#report();
    } else if (data.command === 'hold') {
      this.playout.hold();
      this.#report();
    } else if (data.command === 'release') {
      this.playout.release();
    } else if (data.command === 'finish') {
      this.isFinishing = true;
      this.playout.finish();
    } else if (data.command === 'close') {
      this.isClosed = true;
    } else {
      this.playout.setTarget(data.target_ms);
    }
  }

  /** @param {Float32Array[][]} _ @param {Float32Array[][]} outputs */
  process(_, [output]) {
    this.playout.pull(output[0]);
    this.sinceReport += output[0].length;
    if (this.sinceReport >= REPORT_S * sampleRate) this.#report();
    if (this.isFinishing && !this.playout.depth) this.#finished();
    return !this.isClosed;
  }

  #finished() {
    this.isFinishing = false;
    this.port.postMessage('finished');
  }

  #report() {
    this.sinceReport = 0;
    const samples = Math.round((this.playout.playedOfTurn * this.rate) / sampleRate);
    const { underruns } = this.playout;
    if (this.turn !== null && samples !== this.reported) this.port.postMessage({ turn: this.turn, samples, underruns });
    this.reported = samples;
  }
}

registerProcessor('player', Player);
