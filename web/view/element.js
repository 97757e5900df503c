/** The few DOM operations that the views share. */

/**
 * The element with this id, of this kind.
 *
 * @template {Element} T
 * @param {string} id @param {new () => T} kind @returns {T}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`index.html has no ${kind.name} #${id}`);
  return element;
}

/**
 * @param {string} tag @param {string} [className] @param {string} [text]
 * @returns {HTMLElement}
 */
export function make(tag, className = '', text = '') {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/** Shows or hides; the focus of what hides goes on to `heir`. @param {HTMLElement} element @param {boolean} hidden @param {HTMLElement} heir */
export function hide(element, hidden, heir) {
  const hadFocus = element.contains(document.activeElement);
  element.hidden = hidden;
  if (hidden && hadFocus) heir.focus();
}

/** Writes only what is new: screen readers and layout are left in peace. @param {Element} element @param {string} text */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
