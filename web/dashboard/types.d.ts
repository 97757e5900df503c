/** What the operator's paths answer (`/openapi.json`). */

export interface StageTimes { turns: number; p50_ms: number; p95_ms: number }

/** The stages of a turn, each with its own colour. */
export type StageName = 'silence' | 'recognition' | 'first_token' | 'first_audio' | 'round_trip';
export type Stages = Partial<Record<StageName, StageTimes>>;

export interface Figures {
  span_s: number;
  takes_calls: boolean;
  has_room: boolean;
  late_ms: number;
  calls: number;
  calls_limit: number;
  cpu_percent: number;
  memory_percent: number;
  whole: Stages;
  parts: { ago_s: number; stages: Stages }[];
}

export interface LiveCall {
  id: string;
  transport: string;
  user: string | null;
  seconds: number;
  turns: number;
  failures: number;
  state: 'connecting' | 'listening' | 'hearing' | 'thinking' | 'speaking' | 'held' | 'away';
  language: string;
  loss: number | null;
  score: number | null;
  latest: { silence_ms: number; transcript_ms: number; first_token_ms: number; first_audio_ms: number } | null;
}

export interface EngineState {
  kind: 'asr' | 'llm' | 'tts';
  name: string;
  state: string;
  model: string;
  restarts: number;
  breaker: string | null;
  in_flight: number;
  memory_mb: number | null;
}

export interface EngineStates { engines: EngineState[]; server_memory_mb: number | null }

export interface Setting { name: string; value: unknown; origin: string }

export interface WarmUpStep {
  kind: string;
  engine: string;
  step: 'load' | 'request';
  status: 'running' | 'ok' | 'error';
  ms?: number;
  message?: string;
}

export interface SpeechWish { text: string; voice?: string; language?: string; speed: number; format: string }
