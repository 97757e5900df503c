/**
 * Calls with the first JavaScript block of docs/clients.md, as it stands there, so that the
 * guide stays true. What a browser has and Node.js lacks is put in its place.
 *
 *   node guide.mjs SERVER-URL RECORDING.pcm
 */
import wrtc from '@roamhq/wrtc';
import { readFileSync } from 'node:fs';
import { microphone, obey, server, speaker, tell } from './device.mjs';

const guide = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8');
const block = guide.match(/^```js\n(.*?)^```$/ms);
if (!block) throw new Error('docs/clients.md holds no ```js block');

const devices = {
  async getUserMedia(wanted) {
    tell({ type: 'client.microphone', wanted });
    return microphone.stream;
  },
};
class Audio {
  set srcObject(stream) {
    if (stream) speaker.listen(stream.getAudioTracks()[0]);
  }
  async play() {}
}
const browser = { ...wrtc, Audio, navigator: { mediaDevices: devices } };
for (const [name, value] of Object.entries(browser)) {
  Object.defineProperty(globalThis, name, { value, configurable: true });
}

const { startCall } = await import(`data:text/javascript,${encodeURIComponent(block[1])}`);
try {
  let call = await startCall(server, tell, { speed: 1.0 });
  await obey({
    send: (message) => call.send(message),
    hangUp: () => call.hangUp(),
    async takeUp() {
      call = await startCall(server, tell, {}, '', call.thread());
    },
  });
} catch (error) {
  const { code, action, retryAfter } = error;
  tell({ type: 'client.refused', code, action, retry_after: retryAfter, message: error.message });
  process.exit(code ? 0 : 1);
}
