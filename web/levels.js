/** How loud both sides of a call are, as long as there is something to measure. */
import { Level } from './level.js';

export class Levels {
  /** @type {Level | null} */
  caller = null;
  /** @type {Level | null} */
  voice = null;

  /** @param {AudioContext | null} context @param {MediaStream | null} stream */
  ofCaller(context, stream) {
    this.caller?.close();
    this.caller = context && stream && new Level(context, stream);
  }

  /** @param {AudioContext | null} context @param {MediaStream | null} stream */
  ofVoice(context, stream) {
    this.voice?.close();
    this.voice = context && stream && new Level(context, stream);
  }
}
