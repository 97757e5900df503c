/** The caller's microphone, and what to say when there is none. */
import { CallFailure } from './failure.js';

/**
 * @param {string} deviceId Empty for the browser's choice.
 * @returns {Promise<MediaStream>} Rejects with a `CallFailure`.
 */
export async function openMicrophone(deviceId) {
  if (!navigator.mediaDevices?.getUserMedia) throw new CallFailure('insecure');
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: deviceId ? { ...audio, deviceId: { ideal: deviceId } } : audio,
    });
  } catch (error) {
    throw new CallFailure(refusal(error));
  }
}

/** @param {MediaStream | null} stream */
export function closeMicrophone(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}

/**
 * Names are empty until a microphone has been allowed.
 *
 * @param {'audioinput' | 'audiooutput'} kind
 */
export async function devices(kind) {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return all.filter((device) => device.kind === kind && device.deviceId);
}

/** @param {unknown} error What getUserMedia threw. */
function refusal(error) {
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'microphone_blocked';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'microphone_missing';
  return 'microphone_busy';
}
