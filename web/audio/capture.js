/** The microphone's worklet: PCM16 mono 16 kHz out, in blocks of 20 ms. */
import { Blocks, toPcm16 } from './pcm.js';
import { Resampler } from './resampler.js';

const RATE = 16000;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.muted = false;
    this.isClosed = false;
    this.resampler = new Resampler(sampleRate, RATE);
    this.blocks = new Blocks(RATE / 50);
    this.port.onmessage = ({ data }) => {
      if (data.command === 'close') this.isClosed = true;
      else this.muted = data.muted;
    };
  }

  /** @param {Float32Array[][]} inputs */
  process([input]) {
    // Without a microphone, and muted, silence goes on: the server hears time pass.
    const heard = input[0] ?? new Float32Array(128);
    const samples = this.muted ? new Float32Array(heard.length) : heard;
    for (const block of this.blocks.push(this.resampler.process(samples))) {
      const bytes = toPcm16(block);
      this.port.postMessage(bytes, [bytes]);
    }
    // A worklet that answers true is never let go, also when nothing leads to it.
    return !this.isClosed;
  }
}

registerProcessor('capture', Capture);
