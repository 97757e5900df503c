/**
 * Changes the sample rate of a stream: a polyphase windowed-sinc filter.
 *
 * Browsers differ in whether a microphone can be read at 16 kHz, so both
 * directions are resampled here, the same everywhere. The rates are reduced to
 * up/down; for each of the `up` sub-sample positions one row of filter taps is
 * computed beforehand. A Blackman window over 16 zero crossings keeps aliases
 * some 70 dB down. (Crochiere and Rabiner, Multirate Digital Signal Processing,
 * 1983, chapter 4.)
 */
const ZERO_CROSSINGS = 16;
/** Part of the band that is kept: the rest is the filter's slope. */
const PASSBAND = 0.92;

export class Resampler {
  /** @param {number} from Rate in, Hz. @param {number} to Rate out, Hz. */
  constructor(from, to) {
    const divisor = greatestCommonDivisor(from, to);
    this.up = to / divisor;
    this.down = from / divisor;
    this.rows = this.up === this.down ? [] : filterRows(this.up, this.down);
    this.taps = this.rows[0]?.length ?? 0;
    /** @type {Float32Array} The input that the next output still needs. */
    this.history = new Float32Array(0);
    /** Where the next output lies, in 1/up of an input sample. */
    this.position = 0;
    this.reset();
  }

  /** Forgets the past: the next samples start a new stream. */
  reset() {
    this.history = new Float32Array(Math.max(0, this.taps - 1));
    this.position = 0;
  }

  /** @param {Float32Array} input @returns {Float32Array} All output that the input so far allows. */
  process(input) {
    if (!this.taps) return input;
    const line = new Float32Array(this.history.length + input.length);
    line.set(this.history);
    line.set(input, this.history.length);
    const length = Math.max(0, Math.ceil((input.length * this.up - this.position) / this.down));
    const output = new Float32Array(length);
    for (let i = 0; i < length; i++) {
      const start = Math.floor(this.position / this.up);
      const row = this.rows[this.position % this.up];
      let sum = 0;
      for (let tap = 0; tap < this.taps; tap++) sum += row[tap] * line[start + tap];
      output[i] = sum;
      this.position += this.down;
    }
    this.position -= input.length * this.up;
    this.history = line.slice(input.length);
    return output;
  }
}

/** @param {number} up @param {number} down @returns {Float32Array[]} One row of taps per sub-sample position. */
function filterRows(up, down) {
  const cutoff = PASSBAND * Math.min(1, up / down);
  const half = Math.ceil(ZERO_CROSSINGS / cutoff);
  return Array.from({ length: up }, (_, phase) => {
    const row = new Float32Array(2 * half);
    let sum = 0;
    for (let tap = 0; tap < row.length; tap++) {
      const distance = tap - (half - 1) - phase / up;
      row[tap] = sinc(distance * cutoff) * blackman(distance / half);
      sum += row[tap];
    }
    // Each row passes a constant unchanged, or the gain would ripple with the phase.
    return row.map((tap) => tap / sum);
  });
}

/** @param {number} x */
function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** @param {number} x -1..1 across the window. */
function blackman(x) {
  if (Math.abs(x) >= 1) return 0;
  return 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);
}

/** @param {number} a @param {number} b @returns {number} */
function greatestCommonDivisor(a, b) {
  return b ? greatestCommonDivisor(b, a % b) : a;
}
