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

/** ITU-T G.107, annex B: from here on users are satisfied, and below the other nearly none is. */
const SATISFIED = 4.03;
const MANY_DISSATISFIED = 3.1;

/** @param {number} score Of the server's estimate, which has the delay and the loss of both ways in it. @returns {Grade} */
export function gradeOfScore(score) {
  if (score < MANY_DISSATISFIED) return 'poor';
  return score < SATISFIED ? 'fair' : 'good';
}

/** The server tells of the network every 5 s while it hears anything. */
const STALE_MS = 10000;

/** Two of these did not come: what it told last is no longer so. @param {Network} network @param {number} now */
export const isStale = (network, now) => now - (network.at ?? now) > STALE_MS;

/** @type {Grade[]} */
const FROM_BEST = ['good', 'fair', 'poor'];

/**
 * The grade of both ways: a call is as good as its worse one. A server that told of the network and
 * does so no more hears nothing.
 *
 * @param {Link} link @param {Network | null} network @param {number} now @returns {Grade}
 */
export function gradeOf(link, network, now) {
  if (!network) return link.grade;
  const toServer = isStale(network, now) ? 'poor' : gradeOfScore(network.score);
  return FROM_BEST[Math.max(FROM_BEST.indexOf(link.grade), FROM_BEST.indexOf(toServer))];
}

/** @param {number} underruns Gaps in the sound in the last 10 s. @returns {Grade} */
export function gradeOfUnderruns(underruns) {
  if (underruns > 3) return 'poor';
  return underruns ? 'fair' : 'good';
}

/** In silence the server sends some 2 packets a second, of which a single lost one would be half. */
const JUDGED_PACKETS = 100;

/** What `RTCPeerConnection.getStats` said before, so that loss is that of the newest packets. */
export class PacketStats {
  #lost = 0;
  #received = 0;
  #newest = 0;
  /** @type {number | undefined} */
  #loss;

  /** @param {RTCStatsReport} report @returns {Link} */
  read(report) {
    /** @type {Link} */
    const link = { grade: 'good' };
    let isCut = false;
    report.forEach((entry) => {
      // Not that of the candidate pair: the server may take 80 ms to read what it answers there.
      if (entry.type === 'remote-inbound-rtp' && entry.roundTripTime !== undefined) {
        link.rtt_ms = Math.round(entry.roundTripTime * 1000);
      }
      if (entry.type === 'inbound-rtp' && entry.kind === 'audio') {
        link.jitter_ms = Math.round((entry.jitter ?? 0) * 1000);
        const received = entry.packetsReceived ?? 0;
        isCut = received > 0 && received === this.#newest;
        this.#newest = received;
        link.loss = isCut ? undefined : this.#lossSince(entry.packetsLost ?? 0, received);
      }
    });
    // The server is never silent for so long as lies between two reports.
    link.grade = isCut ? 'poor' : gradeOfPackets(link);
    return link;
  }

  /** The loss of so many packets that one more says little, as it was judged last. @param {number} lost @param {number} received */
  #lossSince(lost, received) {
    const newlyLost = Math.max(0, lost - this.#lost);
    const expected = newlyLost + received - this.#received;
    if (expected >= JUDGED_PACKETS) {
      this.#lost = lost;
      this.#received = received;
      this.#loss = newlyLost / expected;
    }
    return this.#loss;
  }
}
