/** The server's HTTP surface, as the page uses it. Paths are relative: a proxy may add a prefix. */
/** @import {Access} from './access.js' */
/** @import {ServerInfo, SessionSettings, Thread} from './types.js' */
import { CallFailure } from './failure.js';

/** How long a full server is left alone when it does not say. */
const RETRY_S = 10;
/** A server that says nothing for so long is not there. */
const SILENCE_MS = 8000;

/**
 * What the server offers; null when it does not say, which keeps nobody from calling it.
 *
 * @returns {Promise<ServerInfo | null>} Rejects with a `CallFailure` when there is no server.
 */
export async function fetchInfo() {
  try {
    const info = await (await request('v1/info', {})).json();
    return { webrtc: true, voices: [], languages: [], ...info };
  } catch (error) {
    if (error instanceof CallFailure && error.code === 'server_gone') throw error;
    return null;
  }
}

/**
 * What the next connection may be made through, for a caller whose network lets nothing else
 * through (TURN); nothing where the server has no relay.
 *
 * @param {ServerInfo | null} info @param {Access} access
 * @returns {(signal: AbortSignal, thread: Thread | null) => Promise<RTCIceServer[]>}
 */
export const relays = (info, access) => async (signal, thread) => {
  if (!info?.turn) return [];
  try {
    const path = thread ? `v1/calls/${thread.id}/ice` : 'v1/ice';
    const headers = bearer(thread ? thread.token : await access.credential(signal));
    return (await (await request(path, { headers, signal })).json()).ice_servers;
  } catch (error) {
    // Most callers need none; what keeps this one from calling, the call itself will tell.
    if (error instanceof CallFailure) return [];
    throw error;
  }
};

/** A start token, for one call. @param {string} key @param {AbortSignal} signal @returns {Promise<string>} */
export async function mintToken(key, signal) {
  const { headers, body } = json({});
  const init = { method: 'POST', headers: { ...headers, ...bearer(key) }, body, signal };
  return (await (await request('v1/tokens', init)).json()).token;
}

/**
 * @param {RTCSessionDescriptionInit} offer @param {SessionSettings} session @param {string} credential @param {AbortSignal} signal
 * @returns {Promise<{id: string, sdp: string, type: 'answer', ice_servers?: RTCIceServer[], call_token?: string}>}
 */
export async function postCall(offer, session, credential, signal) {
  const { headers, body } = json({ sdp: offer.sdp, type: offer.type, session });
  const init = { method: 'POST', headers: { ...headers, ...bearer(credential) }, body, signal };
  return (await request('v1/calls', init)).json();
}

/**
 * Another connection for a call that goes on.
 *
 * @param {RTCSessionDescriptionInit} offer @param {Thread} thread @param {AbortSignal} signal
 * @returns {Promise<{id: string, sdp: string, type: 'answer', ice_servers?: RTCIceServer[], call_token?: string}>}
 */
export async function resumeCall(offer, { id, token, after }, signal) {
  const { headers, body } = json({ sdp: offer.sdp, type: offer.type, after });
  const init = { method: 'POST', headers: { ...headers, ...bearer(token) }, body, signal };
  return (await request(`v1/calls/${id}/resume`, init)).json();
}

/** @param {string} id @param {RTCIceCandidateInit[]} candidates @param {string} [token] */
export async function patchCandidates(id, candidates, token) {
  const { headers, body } = json({ candidates });
  await request(`v1/calls/${id}`, { method: 'PATCH', headers: { ...headers, ...bearer(token) }, body });
}

/** Frees the server's place, even while the page goes away. @param {string} id @param {string} [token] */
export async function deleteCall(id, token) {
  await request(`v1/calls/${id}`, { method: 'DELETE', headers: bearer(token), keepalive: true });
}

/** @returns {string} */
export function socketAddress() {
  const address = new URL('v1/ws', document.baseURI);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  return address.href;
}

/** @param {unknown} body */
const json = (body) => ({ headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

/** @param {string} [token] @returns {Record<string, string>} */
const bearer = (token) => (token ? { Authorization: `Bearer ${token}` } : {});

/** @param {string} path @param {RequestInit} init */
async function request(path, init) {
  const limit = AbortSignal.timeout(SILENCE_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit;
  let headers;
  try {
    headers = new Headers(init.headers);
  } catch {
    throw new CallFailure('key_unknown'); // what was typed has characters that no header carries
  }
  let response;
  try {
    response = await fetch(new URL(path, document.baseURI), { ...init, headers, signal });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new CallFailure('server_gone');
  }
  if (response.ok) return response;
  const error = await response.json().catch(() => ({}));
  const code = error.code ?? (response.status === 503 ? 'server_full' : `http_${response.status}`);
  throw new CallFailure(code, { ...error, retry_s: retryAfter_s(response) });
}

/** @param {Response} response */
function retryAfter_s(response) {
  const seconds = Number.parseInt(response.headers.get('Retry-After') ?? '', 10);
  return Number.isFinite(seconds) ? Math.max(1, seconds) : RETRY_S;
}
