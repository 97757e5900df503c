/**
 * The jitter buffer between the network and the speaker; synchronous, no clock of its own.
 *
 * Time is counted in the samples that are pulled. Audio starts `target` samples
 * after its first block arrived (or as soon as so much is there), plays until it
 * runs dry, then gathers again. So delay caused by a stall lasts until the end
 * of the phrase at most.
 */

/** The server paces in real time; more than this is a fault, and the oldest goes. */
const LIMIT_S = 10;
/** Audio that comes so soon after running dry was late, not the next phrase. */
const LATE_S = 0.4;
/** Decay per sample when sound stops, so that it does not click: 5 ms at 48 kHz. */
const DECAY = 0.98;

export class Playout {
  /** @param {number} rate Hz. @param {number} target_ms How much to gather before playing. */
  constructor(rate, target_ms) {
    this.rate = rate;
    /** @type {Float32Array[]} */
    this.blocks = [];
    this.head = 0;
    this.depth = 0;
    this.playing = false;
    this.isHeld = false;
    this.waited = 0;
    this.dry = Infinity;
    this.last = 0;
    /** Samples that came out of the speaker, silence and cut audio excluded. */
    this.played = 0;
    /** As of this many played samples the present turn's audio begins. */
    this.begun = 0;
    /** How many times audio came too late. */
    this.underruns = 0;
    this.target = 0;
    this.setTarget(target_ms);
  }

  /** @param {number} target_ms */
  setTarget(target_ms) {
    this.target = Math.round((this.rate * target_ms) / 1000);
  }

  /** What is pushed from now on belongs to a new turn: whatever held the one before is over. */
  begin() {
    this.begun = this.played + this.depth;
    this.isHeld = false;
  }

  /** Samples of the present turn that came out of the speaker. */
  get playedOfTurn() {
    return Math.max(0, this.played - this.begun);
  }

  /** @param {Float32Array} samples */
  push(samples) {
    if (this.dry < LATE_S * this.rate) this.underruns++;
    this.dry = Infinity;
    this.blocks.push(samples);
    this.depth += samples.length;
    // Counted as played: the server's place in the answer must not fall behind.
    if (this.depth > LIMIT_S * this.rate) this.played += this.#take(samples.length).length;
  }

  /** Fills `out` with what sounds now. @param {Float32Array} out */
  pull(out) {
    if (!this.playing && this.depth && !this.isHeld) {
      this.playing = this.depth >= this.target || this.waited >= this.target;
      this.waited += out.length;
    }
    const samples = this.playing && !this.isHeld ? this.#take(out.length) : new Float32Array(0);
    out.set(samples);
    this.played += samples.length;
    if (samples.length) this.last = samples[samples.length - 1];
    for (let i = samples.length; i < out.length; i++) out[i] = this.last *= DECAY;
    if (this.isHeld) return;
    if (this.playing && samples.length < out.length) {
      this.playing = false;
      this.waited = 0;
      this.dry = 0;
    }
    if (!this.playing && !this.depth) this.dry += out.length;
  }

  /** The caller may be speaking: silence at once, nothing is lost. */
  hold() {
    this.isHeld = true;
  }

  release() {
    this.isHeld = false;
  }

  /** Nothing more will come: what there is need not wait. */
  finish() {
    this.release();
    this.target = 0;
  }

  /** The answer was cut: what has not sounded never will. */
  drop() {
    this.blocks = [];
    this.head = 0;
    this.depth = 0;
    this.begun = Math.min(this.begun, this.played);
    this.playing = false;
    this.isHeld = false;
    this.waited = 0;
    this.dry = Infinity;
  }

  /** @param {number} count @returns {Float32Array} So many samples, or as many as there are. */
  #take(count) {
    const taken = new Float32Array(Math.min(count, this.depth));
    let filled = 0;
    while (filled < taken.length) {
      const part = this.blocks[0].subarray(this.head, this.head + taken.length - filled);
      taken.set(part, filled);
      filled += part.length;
      this.head += part.length;
      if (this.head === this.blocks[0].length) {
        this.blocks.shift();
        this.head = 0;
      }
    }
    this.depth -= taken.length;
    return taken;
  }
}
