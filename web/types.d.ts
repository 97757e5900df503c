/** The shapes that the page's modules share: messages, the state of a call, transports. */

export type Phase =
  | 'ready' | 'asking' | 'connecting'
  | 'listening' | 'hearing' | 'thinking' | 'speaking' | 'held'
  | 'reconnecting' | 'ended' | 'error';

export type TransportKind = 'webrtc' | 'websocket';
/** What the caller may do (docs/access.md). */
export type VoiceMode = 'transcribe_only' | 'tts_only' | 'conversation';
export type Grade = 'good' | 'fair' | 'poor';

/** A word that the caller said; times of the call. */
export interface TranscriptWord { text: string; start_ms: number; end_ms: number; confidence: number }

/** What the server says (docs/protocol.md). */
export type ServerMessage =
  | { type: 'session.started'; session_id: string; call_token: string; out_sample_rate: number; language: string; voice: string | null; speed: number; voice_mode: VoiceMode }
  | { type: 'session.resumed'; session_id: string; call_token: string; out_sample_rate: number; language: string; voice: string | null; speed: number; voice_mode: VoiceMode; complete: boolean }
  | { type: 'session.updated'; language: string; voice: string | null; speed: number }
  | { type: 'session.ended'; reason: string }
  | { type: 'speech.started'; turn: number }
  | { type: 'speech.stopped'; turn: number }
  | { type: 'asr.partial'; turn: number; text: string; start_ms: number; end_ms: number }
  | { type: 'asr.final'; turn: number; text: string; start_ms: number; end_ms: number; confidence: number; language: string; words: TranscriptWord[]; cut: boolean }
  | { type: 'llm.partial'; turn: number; token: string }
  | { type: 'llm.final'; turn: number; text: string }
  | { type: 'tts.start'; turn: number }
  | { type: 'tts.end'; turn: number }
  | { type: 'playback.held'; turn: number }
  | { type: 'playback.released'; turn: number }
  | { type: 'caption'; turn: number; text: string; offset: number; start_ms: number; estimated: boolean }
  | { type: 'turn.interrupted'; turn: number; heard: string }
  | { type: 'turn.refused'; turn: number; category: string }
  | ({ type: 'turn.metrics'; turn: number } & Latency)
  | ({ type: 'network' } & Network)
  | { type: 'error'; code: string; message: string; action: string; turn?: number };

/** How a message of the server's comes: most have a number, which rises within the call. */
export type Numbered = ServerMessage & { event_id?: number };

/** A call that goes on over whatever connection; `after` numbers the last event that came. */
export interface Thread { id: string; token: string; after: number }

/** What the page says. */
export type ClientMessage =
  | { type: 'start'; codec: 'pcm16'; sample_rate: 16000; out_sample_rate: 24000; language?: string; voice?: string; speed?: number; auth?: string; resume?: { session_id: string; after: number } }
  | { type: 'start_turn' }
  | { type: 'end_turn' }
  | { type: 'text'; text: string }
  | { type: 'played'; turn: number; samples: number }
  | ({ type: 'update' } & SessionSettings)
  | { type: 'stop' };

export interface SessionSettings { voice?: string; speed?: number; language?: string; low_data?: boolean }

/** What happens on the page itself; `at` is in ms of one clock, `chance` drawn from 0 to 1. */
export type PageEvent =
  | { type: 'call.asked'; at: number }
  | { type: 'microphone.ready'; kind: 'live' | 'none' }
  | { type: 'microphone.refused'; problem: Problem }
  | { type: 'microphone.lost' }
  | { type: 'problem.dismissed' }
  | { type: 'transport.trying'; transport: TransportKind }
  | { type: 'transport.fell_back'; reason: string }
  | { type: 'call.full'; problem: Problem; retry_s: number; at: number; chance?: number }
  | { type: 'call.retried' }
  | { type: 'call.failed'; problem: Problem }
  | { type: 'call.lost'; at: number; chance?: number }
  | { type: 'call.hung_up'; at: number }
  | { type: 'link.measured'; link: Link }
  | { type: 'muted.set'; muted: boolean }
  | { type: 'push_to_talk.set'; on: boolean }
  | { type: 'talking.set'; talking: boolean }
  | { type: 'text.sent'; text: string };

export type Event = PageEvent | (ServerMessage & { at?: number });

/** Something that went wrong: `code` picks the words, the server's own words stand in. */
export interface Problem { code: string; message?: string; action?: string }

/** How good the connection is, and the numbers behind it. */
export interface Link {
  grade: Grade;
  rtt_ms?: number;
  loss?: number;
  jitter_ms?: number;
  underruns?: number;
}

/** The network as the server sees it: what it misses of the caller's packets, and the caller of its own. */
export interface Network {
  /** Null while too few packets came to judge it. */
  loss: number | null;
  lost_outward: number;
  jitter_ms: number;
  concealed_ms: number;
  buffer_ms: number;
  round_trip_ms: number;
  /** From 1 to 4.4 (ITU-T G.107). */
  score: number;
  /** When it was told, in ms. */
  at?: number;
}

/** ms from the caller's last voiced sample to each moment. */
export interface Latency {
  silence_ms: number;
  transcript_ms: number;
  first_token_ms: number;
  first_audio_ms: number;
}

export interface CallerWords { text: string; settled: boolean; typed: boolean }

/** Offsets count UTF-16 units of `text`. */
export interface Answer {
  text: string;
  settled: boolean;
  /** The word whose audio leaves now. */
  now: { from: number; to: number } | null;
  /** How much has been spoken so far. */
  said: number;
  /** The answer was cut: this much of it was heard. */
  heard: number | null;
}

export interface Turn {
  /** Which session of this conversation; a reconnected call starts the next one. */
  call: number;
  /** The server's number; null for a typed message that it has not taken up yet. */
  number: number | null;
  /** Stable identity for drawing; counts up within the conversation. */
  key: number;
  caller: CallerWords | null;
  answer: Answer | null;
  latency: Latency | null;
}

export interface State {
  phase: Phase;
  transport: TransportKind | null;
  /** Why the call runs over the fallback. */
  fallback: string | null;
  link: Link | null;
  /** What the server said last of the way to it. */
  network: Network | null;
  microphone: 'closed' | 'live' | 'none' | 'lost';
  muted: boolean;
  pushToTalk: boolean;
  /** The push-to-talk key is held. */
  talking: boolean;
  /** What the caller may do in the present call. */
  mode: VoiceMode;
  callerSpeaking: boolean;
  /** The turn whose answer sounds. */
  playing: number | null;
  held: boolean;
  /** The caller has finished and no answer sounds yet. */
  awaiting: boolean;
  /** How many sessions this conversation has had. */
  call: number;
  /** Reconnections tried since the call was last steady. */
  attempt: number;
  /** When the page dials again by itself. */
  retryAt: number | null;
  /** The server is there, or was a moment ago: dialling again is worth it. */
  hasAnswered: boolean;
  /** First session of the conversation came up. */
  startedAt: number | null;
  /** The present session came up. */
  upAt: number | null;
  endedAt: number | null;
  endReason: string | null;
  problem: Problem | null;
  turns: Turn[];
}

/** `licence` is an SPDX identifier where there is one, `preview` the URL of a recording that the
 * voice's provider has; a text is empty where nothing is known. */
export interface Voice {
  id: string;
  name: string;
  language: string;
  gender?: string;
  engine?: string;
  licence?: string;
  preview?: string;
}

/** `GET /v1/info`. */
export interface ServerInfo {
  name?: string;
  version?: string;
  webrtc: boolean;
  voices: Voice[];
  default_voice?: string | null;
  languages: string[];
  call?: { max_length_s?: number };
  /** There is a relay, for those who may call. */
  turn?: boolean;
}

export interface Settings {
  voice: string;
  speed: number;
  language: 'en' | 'sn';
  captions: boolean;
  microphone: string;
  speaker: string;
  playback: Playback;
  pushToTalk: boolean;
  lowData: boolean;
}

/** What the address of the page may ask for. */
export interface Options { transport: 'auto' | TransportKind; connect_timeout_ms: number }

export type Playback = 'low_latency' | 'steady';

/** What a transport is given: the sound of the page and where its news goes. */
export interface TransportParts {
  context: AudioContext;
  microphone: MediaStream | null;
  speaker: HTMLAudioElement;
  playback: Playback;
  /** Relays to connect through; none where the server has none. */
  iceServers(signal: AbortSignal, thread: Thread | null): Promise<RTCIceServer[]>;
  /** What the call is begun with; empty on a server that asks nobody. */
  credential(signal: AbortSignal): Promise<string>;
  onMessage(message: Numbered): void;
  /** The connection broke; never after `close`. */
  onLost(): void;
  /** The assistant's voice can be heard, metered and recorded here. */
  onVoice(stream: MediaStream): void;
}

/** The one shape of `peer.js` and `socket.js`. */
export interface Transport {
  readonly kind: TransportKind;
  /**
   * Resolves once `session.started` has come, or with a `thread` `session.resumed`; rejects with
   * a `CallFailure`.
   */
  connect(settings: SessionSettings, signal: AbortSignal, thread: Thread | null): Promise<void>;
  send(message: ClientMessage): void;
  setMuted(muted: boolean): void;
  setMicrophone(stream: MediaStream): Promise<void>;
  setPlayback(playback: Playback): void;
  setSpeaker(deviceId: string): Promise<void>;
  stats(): Promise<Link>;
  /** Resolves once what has arrived has sounded. */
  finish(): Promise<void>;
  /** The connection is given up and the call is not: what closes it later does not end the call. */
  abandon(): void;
  /** Ends the call. Resolves once the server knows. */
  close(): Promise<void>;
}

export type Translate = (key: string, values?: Record<string, string | number>) => string;
