/**
 * A handset for tests: libwebrtc, a microphone that plays files, a speaker that records.
 *
 * Commands come as JSON lines on stdin, everything that happens goes out as JSON lines on
 * stdout: the server's messages as they are, and this client's own facts as `client.*`.
 * `at` is how many milliseconds of the server's audio had been heard by then.
 */
import wrtc from '@roamhq/wrtc';
import { readFileSync, writeSync, openSync, closeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const RATE = 48_000;
const FRAME = RATE / 100;
const { RTCAudioSource, RTCAudioSink } = wrtc.nonstandard;
const silence = new Int16Array(FRAME);

/** Silence, and whatever it is told to say, in real time. */
class Microphone {
  #source = new RTCAudioSource();
  #waiting = [];
  #frames = 0;
  #start = performance.now();
  #timer = setInterval(() => this.#catchUp(), 10);
  track = this.#source.createTrack();
  stream = new wrtc.MediaStream([this.track]);

  /** @param {Int16Array} samples Mono at 48 kHz. */
  say(samples) {
    for (let at = 0; at < samples.length; at += FRAME) {
      const frame = new Int16Array(FRAME);
      frame.set(samples.subarray(at, at + FRAME));
      this.#waiting.push(frame);
    }
  }

  close() {
    clearInterval(this.#timer);
    this.track.stop();
  }

  #catchUp() {
    for (; this.#frames < (performance.now() - this.#start) / 10; this.#frames++) {
      const idle = !this.#waiting.length;
      const samples = this.#waiting.shift() ?? silence;
      this.#source.onData({ samples, sampleRate: RATE, bitsPerSample: 16, channelCount: 1, numberOfFrames: FRAME });
      if (!idle && !this.#waiting.length) tell({ type: 'client.said' });
    }
  }
}

/** Records a track as PCM16 mono at 48 kHz. */
class Speaker {
  #file;
  #sink = null;
  #frames = 0;
  #rate = 0;

  /** @param {string} path */
  constructor(path) {
    this.#file = openSync(path, 'w');
  }

  get heard_ms() {
    return this.#frames * 10;
  }

  /** @param {MediaStreamTrack} track */
  listen(track) {
    this.#sink?.stop();
    this.#sink = new RTCAudioSink(track);
    this.#sink.ondata = ({ samples, sampleRate, channelCount }) => {
      const mono = new Int16Array(FRAME);
      // Before the first packet, libwebrtc plays silence at a lower rate.
      const step = samples.length / channelCount / FRAME;
      for (let at = 0; at < FRAME; at++) mono[at] = samples[Math.floor(at * step) * channelCount];
      writeSync(this.#file, new Uint8Array(mono.buffer));
      this.#frames++;
      if (sampleRate !== this.#rate) tell({ type: 'client.rate', sample_rate: (this.#rate = sampleRate) });
    };
  }

  close() {
    if (this.#sink) this.#sink.ondata = null;
    this.#sink?.stop();
    closeSync(this.#file);
  }
}

const [, , , recording] = process.argv;
if (!recording) throw new Error('usage: node SCRIPT SERVER-URL RECORDING.pcm');

export const server = process.argv[2];
export const microphone = new Microphone();
export const speaker = new Speaker(recording);

/** Prints one line. @param {{type: string}} event */
export function tell(event) {
  console.log(JSON.stringify({ ...event, at: speaker.heard_ms }));
}

/**
 * Obeys `{"do": "say", "file"}`, `{"do": "send", "message"}` and `{"do": "hang_up"}`; when
 * stdin ends, so does the process.
 *
 * @param {{send: (message: object) => void, hangUp: () => Promise<unknown>}} call
 */
export async function obey(call) {
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    if (command.do === 'say') microphone.say(new Int16Array(new Uint8Array(readFileSync(command.file)).buffer));
    else if (command.do === 'send') call.send(command.message);
    else if (command.do === 'take_up') await call.takeUp();
    else if (command.do === 'hang_up') tell({ type: 'client.hung_up', result: await call.hangUp() });
    else throw new Error(`unknown command: ${line}`);
  }
  microphone.close();
  speaker.close();
  // Not by running out of work: this libwebrtc then crashes while it frees itself.
  process.exit(0);
}
