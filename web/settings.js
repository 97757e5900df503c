/** What the caller chose, kept in this browser. */
/** @import {ServerInfo, SessionSettings, Settings} from './types.js' */

const KEY = 'inzwa.settings';

/** @returns {Settings} */
export function loadSettings() {
  /** @type {Settings} */
  const usual = {
    voice: '',
    speed: 1,
    language: navigator.languages?.some((tag) => /^sn\b/i.test(tag)) ? 'sn' : 'en',
    captions: true,
    microphone: '',
    speaker: '',
    playback: 'low_latency',
    pushToTalk: false,
    lowData: false,
  };
  return { ...usual, ...stored() };
}

/** @param {Settings} settings */
export function saveSettings(settings) {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
}

/**
 * What the server is told; what it does not offer is left to it.
 *
 * @param {Settings} settings @param {ServerInfo | null} info @returns {SessionSettings}
 */
export function sessionSettings(settings, info) {
  /** @type {SessionSettings} */
  const session = { speed: settings.speed };
  if (info?.voices.some(({ id }) => id === settings.voice)) session.voice = settings.voice;
  if (settings.lowData) session.low_data = true;
  if (info?.languages.includes(settings.language)) session.language = settings.language;
  return session;
}

/** @returns {Partial<Settings>} */
function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}');
  } catch {
    return {};
  }
}
