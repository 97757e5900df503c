/** The page's words, in the caller's language; English stands in for what is missing. */
/** @import {Translate} from './types.js' */

/** @param {string} language @param {string} [folder] @returns {Promise<Translate>} */
export async function loadWords(language, folder = 'strings') {
  const english = await strings('en', folder);
  const own = language === 'en' ? english : await strings(language, folder).catch(() => english);
  return (key, values = {}) => fill(own[key] ?? english[key] ?? key, values);
}

/** @param {string} language @param {string} folder @returns {Promise<Record<string, string>>} */
async function strings(language, folder) {
  return (await fetch(new URL(`${folder}/${language}.json`, import.meta.url))).json();
}

/** @param {string} text @param {Record<string, string | number>} values */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** Puts words where the HTML names them. @param {ParentNode} root @param {Translate} t */
export function putWords(root, t) {
  for (const element of root.querySelectorAll('[data-t]')) {
    element.textContent = t(/** @type {HTMLElement} */ (element).dataset.t ?? '');
  }
  for (const element of root.querySelectorAll('[data-t-label]')) {
    const words = t(/** @type {HTMLElement} */ (element).dataset.tLabel ?? '');
    element.setAttribute('aria-label', words);
    if (element instanceof HTMLButtonElement) element.title = words;
  }
  for (const element of root.querySelectorAll('[data-t-placeholder]')) {
    element.setAttribute('placeholder', t(/** @type {HTMLElement} */ (element).dataset.tPlaceholder ?? ''));
  }
}
