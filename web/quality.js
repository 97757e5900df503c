/**
 * How a connection sounds, in one word.
 *
 * The limits follow ITU-T G.114 (mouth-to-ear delay) and what Opus conceals
 * without being noticed.
 */
/** @import {Grade, Link, Network} from './types.js' */

/** @param {{rtt_ms?: number, loss?: number, jitter_ms?: number}} numbers `loss` is 0..1. @returns {Grade} */
export function gradeOfPackets({ rtt_ms = 0, loss = 0, jitter_ms = 0 }) {
  if (rtt_ms > 500 || loss > 0.08 || jitter_ms > 80) return 'poor';
  if (rtt_ms > 250 || loss > 0.02 || jitter_ms > 30) return 'fair';
  return 'good';
}

/** @type {Grade[]} */
const FROM_BEST = ['good', 'fair', 'poor'];

/**
 * The grade of both ways: a call is as good as its worse one.
 *
 * @param {Link} link @param {Network | null} network @returns {Grade}
 */
export function gradeOf(link, network) {
  if (!network) return link.grade;
  const toServer = gradeOfPackets({ rtt_ms: network.round_trip_ms, loss: network.loss, jitter_ms: network.jitter_ms });
  return FROM_BEST[Math.max(FROM_BEST.indexOf(link.grade), FROM_BEST.indexOf(toServer))];
}

/** @param {number} underruns Gaps in the sound in the last 10 s. @returns {Grade} */
export function gradeOfUnderruns(underruns) {
  if (underruns > 3) return 'poor';
  return underruns ? 'fair' : 'good';
}

/** What `RTCPeerConnection.getStats` said last, so that loss is that of the time between. */
export class PacketStats {
  lost = 0;
  received = 0;

  /** @param {RTCStatsReport} report @returns {Link} */
  read(report) {
    /** @type {Link} */
    const link = { grade: 'good' };
    report.forEach((entry) => {
      if (entry.type === 'candidate-pair' && entry.nominated && entry.currentRoundTripTime !== undefined) {
        link.rtt_ms = Math.round(entry.currentRoundTripTime * 1000);
      }
      if (entry.type === 'inbound-rtp' && entry.kind === 'audio') {
        link.jitter_ms = Math.round((entry.jitter ?? 0) * 1000);
        link.loss = this.#lossSince(entry.packetsLost ?? 0, entry.packetsReceived ?? 0);
      }
    });
    link.grade = gradeOfPackets(link);
    return link;
  }

  /** @param {number} lost @param {number} received */
  #lossSince(lost, received) {
    const newlyLost = Math.max(0, lost - this.lost);
    const expected = newlyLost + received - this.received;
    this.lost = lost;
    this.received = received;
    return expected > 0 ? newlyLost / expected : 0;
  }
}
