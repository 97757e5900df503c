/**
 * Added to the page before its own code. Tells the test what server and page say to each
 * other (`tellTest`), lets it speak (`visitor.say`) and records what the page plays.
 *
 * Permission, devices and their names stay the browser's own: only the sound of the
 * microphone is the test's, and only when `visitor.speaks` was set.
 */
window.visitor = (() => {
  const RATE = 48000;
  const visitor = { speaks: false, wanted: [], say, record, position, length, recorded };
  /** @type {{context: AudioContext, mouth: AudioNode} | null} The microphone opened last. */
  let microphone = null;
  /** @type {{reader: ReadableStreamDefaultReader, pieces: Float32Array[], rate: number, began: number | null} | null} */
  let recorder = null;

  const tell = (who, data) => {
    if (typeof data === 'string') window.tellTest(JSON.stringify({ ...JSON.parse(data), from: who, at: position() }));
  };

  const { createDataChannel } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.createDataChannel = function (...given) {
    const channel = createDataChannel.apply(this, given);
    visitor.network = () => this.getConfiguration();
    channel.addEventListener('message', ({ data }) => tell('server', data));
    const { send } = channel;
    channel.send = (data) => (tell('page', data), send.call(channel, data));
    return channel;
  };
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => tell('server', data));
    }
    send(data) {
      tell('page', data);
      super.send(data);
    }
  };

  const { mediaDevices } = navigator;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (wanted) => {
    const real = await open(wanted);
    visitor.wanted.push(wanted);
    if (!visitor.speaks) return real;
    const context = new AudioContext({ sampleRate: RATE });
    const mouth = context.createMediaStreamDestination();
    microphone = { context, mouth };
    const [track] = mouth.stream.getTracks();
    const [device] = real.getTracks();
    track.getSettings = () => device.getSettings();
    const stop = track.stop.bind(track);
    track.stop = () => {
      if (track.readyState === 'ended') return;
      stop();
      context.close();
      device.stop();
    };
    return mouth.stream;
  };

  /** Speaks PCM16 (base64, 48 kHz) into the open microphone; resolves when it is said. */
  function say(base64) {
    const pcm = new Int16Array(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer);
    const { context, mouth } = microphone;
    const buffer = new AudioBuffer({ length: pcm.length, sampleRate: RATE });
    buffer.copyToChannel(Float32Array.from(pcm, (sample) => sample / 32768), 0);
    const voice = new AudioBufferSourceNode(context, { buffer });
    voice.connect(mouth);
    voice.start();
    return new Promise((resolve) => (voice.onended = () => resolve()));
  }

  /** Keeps from now on what the page plays. */
  async function record() {
    recorder?.reader.cancel();
    const [track] = window.inzwa.remoteStream().getAudioTracks();
    // It drops what waits beyond its buffer: 20 s here, for a page that is kept busy.
    const { readable } = new MediaStreamTrackProcessor({ track, maxBufferSize: 2000 });
    const mine = (recorder = { reader: readable.getReader(), pieces: [], rate: RATE, began: null });
    for (;;) {
      const { value: sound, done } = await mine.reader.read();
      if (done) return;
      mine.rate = sound.sampleRate;
      const piece = new Float32Array(sound.numberOfFrames);
      sound.copyTo(piece, { planeIndex: 0, format: 'f32-planar' });
      sound.close();
      mine.pieces.push(piece);
      mine.began ??= performance.now();
    }
  }

  /** How much has been played since `record`, in samples at 48 kHz. */
  function position() {
    if (!recorder?.began) return 0;
    return Math.round(((performance.now() - recorder.began) * RATE) / 1000);
  }

  /** How much is in the recording, in samples at 48 kHz. */
  function length() {
    const { pieces, rate } = recorder ?? { pieces: [], rate: RATE };
    return (pieces.reduce((sum, piece) => sum + piece.length, 0) * RATE) / rate;
  }

  /** The recording as PCM16 (base64), and its rate. */
  function recorded() {
    let text = '';
    for (const piece of recorder?.pieces ?? []) {
      const pcm = Int16Array.from(piece, (sample) => Math.max(-1, Math.min(1, sample)) * 32767);
      text += String.fromCharCode(...new Uint8Array(pcm.buffer));
    }
    return { pcm: btoa(text), rate: recorder?.rate ?? RATE };
  }

  return visitor;
})();
