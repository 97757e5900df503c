/**
 * PCM16 little-endian bytes from and to samples in -1..1.
 *
 * Written through a DataView, so that it is right on a big-endian machine too.
 */

/** @param {Float32Array} samples @returns {ArrayBuffer} */
export function toPcm16(samples) {
  const bytes = new DataView(new ArrayBuffer(samples.length * 2));
  for (let i = 0; i < samples.length; i++) {
    const clipped = Math.max(-1, Math.min(1, samples[i]));
    bytes.setInt16(i * 2, Math.round(clipped * 32767), true);
  }
  return /** @type {ArrayBuffer} */ (bytes.buffer);
}

/** @param {ArrayBuffer} buffer An odd last byte is left out. @returns {Float32Array} */
export function fromPcm16(buffer) {
  const bytes = new DataView(buffer);
  const samples = new Float32Array(bytes.byteLength >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = bytes.getInt16(i * 2, true) / 32768;
  return samples;
}

/** Gathers samples into blocks of one size, keeping the rest for the next time. */
export class Blocks {
  /** @param {number} size Samples in a block. */
  constructor(size) {
    this.size = size;
    this.rest = new Float32Array(0);
  }

  /** @param {Float32Array} samples @returns {Float32Array[]} */
  push(samples) {
    const all = new Float32Array(this.rest.length + samples.length);
    all.set(this.rest);
    all.set(samples, this.rest.length);
    const blocks = [];
    let from = 0;
    for (; from + this.size <= all.length; from += this.size) {
      blocks.push(all.slice(from, from + this.size));
    }
    this.rest = all.slice(from);
    return blocks;
  }
}
