/** Wires the page: what a person does goes to the call, what the call becomes is drawn. */
/** @import {Event, Settings, State, Translate} from './types.js' */
import { Access, takeToken } from './access.js';
import { INITIAL, isBusy, isUp, reduce } from './call.js';
import { fetchInfo, mintToken } from './server.js';
import { PushToTalk } from './push-to-talk.js';
import { Session, now } from './session.js';
import { loadSettings, saveSettings, sessionSettings } from './settings.js';
import { saveText, transcriptOf } from './transcript.js';
import { loadWords, putWords } from './words.js';
import { ChipView } from './view/chip.js';
import { ComposerView } from './view/composer.js';
import { ControlsView } from './view/controls.js';
import { ConversationView } from './view/conversation.js';
import { byId } from './view/element.js';
import { KeyView } from './view/key.js';
import { listenToKeys } from './view/keys.js';
import { NoticeView } from './view/notice.js';
import { RingView } from './view/ring.js';
import { SettingsView } from './view/settings.js';

/** How often a countdown is looked at. */
const COUNTDOWN_MS = 250;

const access = new Access(takeToken(location, history), mintToken);
let settings = loadSettings();
/** @type {Translate} */
let t = await loadWords(settings.language);
/** @type {State} */
let state = { ...INITIAL, pushToTalk: settings.pushToTalk };
let drawing = 0;
let wasUp = false;

/** @type {Session} */
const session = new Session({
  state: () => state,
  dispatch,
  speaker: byId('speaker', HTMLAudioElement),
  choices: () => ({ ...settings, session: sessionSettings(settings, session.info) }),
  access,
  options: optionsOf(new URLSearchParams(location.search)),
});

const controls = new ControlsView();
const conversation = new ConversationView();
const notice = new NoticeView();
const chip = new ChipView();
const composer = new ComposerView(say);
const keyDialog = new KeyView((key) => {
  access.use(key);
  session.call();
});
const ring = new RingView(() => ({
  caller: session.levels.caller?.read() ?? 0,
  voice: session.levels.voice?.read() ?? 0,
}));
const panel = new SettingsView(() => settings, change, () => session.levels.caller?.read() ?? null, (key, values) => t(key, values));
const hold = new PushToTalk({ open: startTurn, close: endTurn });

/** @param {Event} event */
function dispatch(event) {
  const next = reduce(state, event);
  if (next === state) return;
  state = next;
  drawing ||= requestAnimationFrame(draw);
}

function draw() {
  drawing = 0;
  controls.draw(state, t, now());
  conversation.draw(state, settings.captions, t);
  notice.draw(state, session.info, t);
  keyDialog.draw(state.problem, t);
  chip.draw(state, t, now());
  ring.run(isUp(state));
  if (!isUp(state)) composer.close();
  else if (!wasUp && state.microphone === 'none') composer.open();
  wasUp = isUp(state);
}

/** @param {Partial<Settings>} choice */
async function change(choice) {
  settings = { ...settings, ...choice };
  saveSettings(settings);
  const { voice, speed, language } = sessionSettings(settings, session.info);
  if (choice.voice !== undefined || choice.speed !== undefined) session.send({ type: 'update', voice, speed });
  if (choice.playback) session.setPlayback(choice.playback);
  if (choice.speaker !== undefined) session.setSpeaker(choice.speaker);
  if (choice.pushToTalk !== undefined) setPushToTalk(choice.pushToTalk);
  if (choice.microphone !== undefined) {
    session.setMicrophone(choice.microphone).then(() => panel.drawProblem(isUp(state) ? state.problem : null));
  }
  if (choice.language) {
    if (language) session.send({ type: 'update', language });
    t = await loadWords(choice.language);
    speakLanguage();
  }
  draw();
}

function speakLanguage() {
  document.documentElement.lang = settings.language;
  putWords(document, t);
  conversation.forget();
}

function press() {
  if (isBusy(state)) session.hangUp();
  else session.call();
}

/** @param {string} text */
function say(text) {
  session.send({ type: 'text', text });
  dispatch({ type: 'text.sent', text });
}

function toggleMute() {
  if (!isUp(state) || state.pushToTalk) return;
  dispatch({ type: 'muted.set', muted: !state.muted });
  session.applyMute();
}

/** @param {boolean} on */
function setPushToTalk(on) {
  if (state.pushToTalk === on) return;
  hold.end();
  dispatch({ type: 'push_to_talk.set', on });
  session.applyMute();
}

function startTurn() {
  dispatch({ type: 'talking.set', talking: true });
  if (!state.talking) return;
  session.applyMute();
  session.send({ type: 'start_turn' });
}

function endTurn() {
  dispatch({ type: 'talking.set', talking: false });
  session.applyMute();
  session.send({ type: 'end_turn' });
}

/** The microphone is gone: the call goes on without it. */
function typeOn() {
  dispatch({ type: 'microphone.ready', kind: 'none' });
  composer.open();
}

/** @param {string} id @param {() => void} act */
const onClick = (id, act) => byId(id, HTMLButtonElement).addEventListener('click', act);

onClick('call', press);
onClick('call-again', () => session.call());
onClick('mute', toggleMute);
onClick('hands-free', () => change({ pushToTalk: false }));
onClick('open-settings', () => panel.open(session.info));
onClick('open-composer', () => composer.toggle());
onClick('save', () => saveText(transcriptOf(state.turns, t), `inzwa-${new Date().toISOString().slice(0, 10)}.txt`));
onClick('notice-retry', () => (isUp(state) ? session.setMicrophone('') : session.call()));
onClick('notice-cancel', () => session.hangUp());
onClick('notice-type', () => {
  if (isUp(state)) typeOn();
  else session.call({ typing: true });
});
onClick('notice-dismiss', () => {
  if (!state.problem) notice.putFallbackAway();
  dispatch({ type: 'problem.dismissed' });
  draw();
});

// The same button turns push-to-talk on and, once it is on, is held to talk.
const holdButton = byId('push-to-talk', HTMLButtonElement);
holdButton.addEventListener('click', () => !state.pushToTalk && change({ pushToTalk: true }));
holdButton.addEventListener('pointerdown', (event) => {
  if (!state.pushToTalk) return;
  holdButton.setPointerCapture(event.pointerId);
  hold.press();
});
for (const release of ['pointerup', 'pointercancel', 'lostpointercapture']) {
  holdButton.addEventListener(release, () => hold.release());
}
holdButton.addEventListener('contextmenu', (event) => event.preventDefault());

listenToKeys({
  isHeldToTalk: () => state.pushToTalk && isUp(state) && state.microphone === 'live',
  hold,
  mute: toggleMute,
  type: () => isUp(state) && state.mode !== 'transcribe_only' && composer.open(),
  leave: () => {
    if (chip.isOpen) chip.close();
    else if (composer.isOpen) composer.close();
    else if (isBusy(state)) session.hangUp();
  },
});
window.addEventListener('pagehide', () => isBusy(state) && session.hangUp());
setInterval(() => state.retryAt !== null && draw(), COUNTDOWN_MS);

/** What a test of the page may look at. */
Object.assign(window, {
  inzwa: {
    state: () => structuredClone(state),
    remoteStream: () => session.voice,
  },
});

speakLanguage();
draw();
session.info = await fetchInfo().catch(() => null);

/** @param {URLSearchParams} query @returns {import('./types.js').Options} */
function optionsOf(query) {
  const asked = query.get('transport');
  const timeout_ms = Number(query.get('connect_timeout_ms'));
  return {
    transport: asked === 'webrtc' || asked === 'websocket' ? asked : 'auto',
    connect_timeout_ms: timeout_ms > 0 ? timeout_ms : 5000,
  };
}
