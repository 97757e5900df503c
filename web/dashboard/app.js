/** Wires the dashboard: asks the server again and again, draws what it says, does what is pressed. */
/** @import {Translate, ServerInfo} from '../types.js' */
/** @import {EngineStates, Figures, LiveCall, Setting, SpeechWish} from './types.js' */
import { loadSettings, saveSettings } from '../settings.js';
import { loadWords, putWords } from '../words.js';
import { byId, put } from '../view/element.js';
import { Api, Refusal } from './api.js';
import { CallsView } from './view/calls.js';
import { ConfigView } from './view/config.js';
import { EnginesView } from './view/engines.js';
import { OverviewView } from './view/overview.js';
import { SpeechView } from './view/speech.js';

const EVERY_MS = 2000;
/** Engines are looked at each so many times: their memory takes the server a while to count. */
const ENGINES_EVERY = 5;
const WORDS = 'strings/dashboard';

let settings = loadSettings();
/** @type {Translate} */
let t = await loadWords(settings.language, WORDS);
/** @type {{figures: Figures, calls: LiveCall[], engines: EngineStates} | null} */
let now = null;
/** What changes with a reload of the server only. @type {{info: ServerInfo, settings: Setting[]} | null} */
let lasting = null;
let isAsking = false;
let looks = 0;

const api = new Api();
const overview = new OverviewView();
const calls = new CallsView(endCall);
const engines = new EnginesView();
const config = new ConfigView();
const speech = new SpeechView(speak);
const minutes = byId('minutes', HTMLSelectElement);
const language = byId('language', HTMLSelectElement);

async function look() {
  if (isAsking || document.hidden) return;
  isAsking = true;
  try {
    const isTime = looks % ENGINES_EVERY === 0;
    // First and alone: without the right key there is one refusal, for these count against the address.
    const figures = await api.figures(Number(minutes.value));
    const states = now && !isTime ? now.engines : api.engines();
    const [live, running] = await Promise.all([api.calls(), states]);
    now = { figures, calls: live, engines: running };
    looks += 1;
    if (!lasting) await lookAround();
    show();
  } catch (error) {
    fail(error);
  } finally {
    isAsking = false;
  }
}

/** Not while a key is waited for: the answer would be the same. But where the server is away. */
async function lookAgain() {
  if (byId('locked', HTMLElement).hidden || !byId('gone', HTMLElement).hidden) await look();
}

async function lookAround() {
  const [info, rows] = await Promise.all([api.info(), api.configuration()]);
  lasting = { info, settings: rows };
  drawLasting();
}

function show() {
  byId('gone', HTMLElement).hidden = true;
  byId('locked', HTMLElement).hidden = true;
  byId('board', HTMLElement).hidden = false;
  draw();
}

function draw() {
  if (!now) return;
  overview.draw(now.figures, t);
  calls.draw(now.calls, t);
  engines.draw(now.engines, t);
  const { takes_calls } = now.figures;
  put(byId('drain-state', HTMLElement), t(takes_calls ? 'drain_off' : 'drain_on', { count: now.figures.calls }));
  put(byId('drain-button', HTMLElement), t(takes_calls ? 'drain_begin' : 'drain_end'));
  byId('drain-time', HTMLElement).hidden = !takes_calls;
}

function drawLasting() {
  if (!lasting) return;
  speech.draw(lasting.info, t);
  config.draw(lasting.settings, t);
}

/** @param {unknown} error */
function fail(error) {
  if (!(error instanceof Refusal)) throw error;
  if (error.needsKey) lock(error);
  else byId('gone', HTMLElement).hidden = false;
}

/** The server wants a key, or another one. @param {Refusal} refusal */
function lock(refusal) {
  const key = byId('key', HTMLInputElement);
  const was = byId('locked', HTMLElement).hidden;
  byId('gone', HTMLElement).hidden = true;
  byId('board', HTMLElement).hidden = true;
  byId('taking', HTMLElement).hidden = true;
  byId('locked', HTMLElement).hidden = false;
  const refused = byId('key-refused', HTMLElement);
  refused.hidden = !key.value;
  put(refused, wordsOf(refusal));
  if (was) key.focus();
}

byId('key-form', HTMLFormElement).addEventListener('submit', async (event) => {
  event.preventDefault();
  const key = byId('key', HTMLInputElement);
  api.use(key.value);
  await look();
  if (byId('locked', HTMLElement).hidden) key.value = '';
});

/** @param {string} id */
async function endCall(id) {
  await act(() => api.endCall(id), t('call_ended'));
}

byId('drain', HTMLFormElement).addEventListener('submit', async (event) => {
  event.preventDefault();
  const { value } = byId('drain-seconds', HTMLInputElement);
  if (now?.figures.takes_calls) await act(() => api.drain(value === '' ? null : Number(value)), t('takes_none'));
  else await act(() => api.takeCalls(), t('takes_calls'));
});

byId('warm-up', HTMLButtonElement).addEventListener('click', async () => {
  engines.beginWarmUp();
  let failed = 0;
  try {
    for await (const step of api.warmUp()) {
      engines.drawStep(step, t);
      if (step.status === 'error') failed += 1;
    }
    engines.endWarmUp(t(failed ? 'warm_failed' : 'warm_done', { count: failed }));
    looks = 0;
  } catch (error) {
    engines.endWarmUp(wordsOf(error));
  }
});

/** @param {SpeechWish} wish */
async function speak(wish) {
  speech.wait(t('speaking'));
  const since = performance.now();
  try {
    const sound = await api.speak(wish);
    speech.play(sound, t('spoken', { ms: Math.round(performance.now() - since), kb: Math.ceil(sound.size / 1024) }));
  } catch (error) {
    speech.tell(wordsOf(error));
  }
}

/** @param {() => Promise<void>} deed @param {string} words */
async function act(deed, words) {
  try {
    await deed();
    put(byId('announce', HTMLElement), words);
  } catch (error) {
    // A call that has just ended by itself is gone as was wished.
    if (!(error instanceof Refusal && error.status === 404)) fail(error);
  }
  await look();
}

/** @param {unknown} error */
function wordsOf(error) {
  if (!(error instanceof Refusal)) return t('server_gone');
  return error.message || t(error.code);
}

async function speakLanguage() {
  document.documentElement.lang = settings.language;
  language.value = settings.language;
  putWords(document, t);
  draw();
  drawLasting();
}

language.addEventListener('change', async () => {
  settings = { ...settings, language: language.value === 'sn' ? 'sn' : 'en' };
  saveSettings(settings);
  t = await loadWords(settings.language, WORDS);
  await speakLanguage();
});
minutes.addEventListener('change', look);
document.addEventListener('visibilitychange', lookAgain);
setInterval(lookAgain, EVERY_MS);

await speakLanguage();
await look();
