/**
 * Calls as a mobile app would, with SDP bodies: offers at once, trickles its candidates as
 * they are found, hangs up with DELETE.
 *
 *   node client.mjs SERVER-URL RECORDING.pcm
 */
import wrtc from '@roamhq/wrtc';
import { microphone, obey, server, speaker, tell } from './device.mjs';

const pc = new wrtc.RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' });
const channel = pc.createDataChannel('inzwa', { ordered: true });
pc.addTrack(microphone.track, microphone.stream);
channel.onmessage = ({ data }) => tell(JSON.parse(data));
const closed = new Promise((resolve) => (channel.onclose = resolve));
pc.ontrack = ({ track }) => speaker.listen(track);
pc.onconnectionstatechange = () => tell({ type: 'client.state', state: pc.connectionState });

/** @type {(call: {url: URL, tag: string}) => void} */
let answered;
const call = new Promise((resolve) => (answered = resolve));
pc.onicecandidate = async ({ candidate }) => {
  if (!candidate) return;
  const { url, tag } = await call;
  const headers = { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': tag };
  const response = await fetch(url, { method: 'PATCH', headers, body: fragment(candidate) });
  tell({ type: 'client.trickled', status: response.status });
};

const offer = await pc.createOffer();
await pc.setLocalDescription(offer);
const headers = { 'Content-Type': 'application/sdp' };
const response = await fetch(`${server}/v1/calls`, { method: 'POST', headers, body: offer.sdp });
const answer = await response.text();
tell({ type: 'client.answered', status: response.status, offer: offer.sdp, answer });
if (response.status === 201) {
  await pc.setRemoteDescription({ type: 'answer', sdp: answer });
  answered({ url: new URL(response.headers.get('Location'), server), tag: response.headers.get('ETag') });
}
await obey({ send: (message) => channel.send(JSON.stringify(message)), hangUp });

async function hangUp() {
  const { url } = await call;
  const { status } = await fetch(url, { method: 'DELETE' });
  await closed; // after session.ended
  pc.close();
  return status;
}

/** RFC 8840. @param {RTCIceCandidate} candidate */
function fragment({ candidate, sdpMid }) {
  const ice = pc.localDescription.sdp.match(/a=ice-(ufrag|pwd):.*\r\n/g).slice(0, 2).join('');
  return `${ice}m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:${sdpMid}\r\na=${candidate}\r\n`;
}
