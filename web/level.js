/** How loud a stream is now. */

/** Speech lies between these, in dB of full scale. */
const FLOOR_DB = -55;
const CEILING_DB = -12;

export class Level {
  /** @param {AudioContext} context @param {MediaStream} stream */
  constructor(context, stream) {
    this.analyser = new AnalyserNode(context, { fftSize: 512 });
    this.source = context.createMediaStreamSource(stream);
    this.source.connect(this.analyser);
    this.samples = new Float32Array(this.analyser.fftSize);
  }

  /** @returns {number} 0 (silent) to 1 (loud). */
  read() {
    this.analyser.getFloatTimeDomainData(this.samples);
    let power = 0;
    for (const sample of this.samples) power += sample * sample;
    const db = 10 * Math.log10(power / this.samples.length + 1e-12);
    return Math.max(0, Math.min(1, (db - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
  }

  close() {
    this.source.disconnect();
  }
}
