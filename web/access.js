/**
 * Who calls, where the server asks: a start token that the page was opened with, or a key that
 * somebody typed. Both are kept in the memory of the page alone, and go with it.
 */

/** The answers after which a key helps. */
const ASKS = new Set(['key_needed', 'key_unknown', 'scope_missing']);

export class Access {
  #key = '';
  #token;

  /**
   * @param {string} token What the page was opened with; empty without one.
   * @param {(key: string, signal: AbortSignal) => Promise<string>} mint Asks the server for a start token.
   */
  constructor(token, mint) {
    this.#token = token;
    this.mint = mint;
  }

  /** From now on calls are made with this key. @param {string} key */
  use(key) {
    this.#key = key;
    this.#token = '';
  }

  /** What the next call is begun with; empty where nothing is known of who calls. @param {AbortSignal} signal */
  async credential(signal) {
    // A start token is all that a call is given: the key itself goes nowhere else.
    return this.#key ? this.mint(this.#key, signal) : this.#token;
  }
}

/** Whether the server wants to know who calls. @param {string | undefined} code */
export const asksForKey = (code) => code !== undefined && ASKS.has(code);

/**
 * The start token in the page's address, which is taken out of it at once: out of sight, and out
 * of what is bookmarked or passed on.
 *
 * @param {{hash: string, pathname: string, search: string}} location
 * @param {{replaceState(data: null, unused: string, url: string): void}} history
 */
export function takeToken(location, history) {
  const members = new URLSearchParams(location.hash.slice(1));
  const token = members.get('token') ?? '';
  if (!members.has('token')) return '';
  members.delete('token');
  const rest = members.toString();
  history.replaceState(null, '', `${location.pathname}${location.search}${rest && `#${rest}`}`);
  return token;
}
