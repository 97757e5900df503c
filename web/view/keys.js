/** The keyboard: Space talks, M mutes, T types, Esc closes or hangs up. */

/**
 * @param {object} act
 * @param {() => boolean} act.isHeldToTalk Push-to-talk is on and a call is up.
 * @param {{press: () => void, release: () => void}} act.hold
 * @param {() => void} act.mute
 * @param {() => void} act.type
 * @param {() => void} act.leave Esc, when no dialog took it.
 */
export function listenToKeys(act) {
  let holding = false;
  const release = () => {
    if (holding) act.hold.release();
    holding = false;
  };

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector('dialog[open]')) return;
    // A key held down presses once: else the same Enter would call and hang up.
    if (event.repeat && event.key === 'Enter') event.preventDefault();
    if (event.key === 'Escape' && !event.repeat) act.leave();
    if (isField(event.target)) return;
    if (event.key === ' ' && act.isHeldToTalk() && isOursToTake(event.target)) {
      event.preventDefault();
      if (!holding) act.hold.press();
      holding = true;
    } else if (!event.repeat && event.key.toLowerCase() === 'm') {
      act.mute();
    } else if (!event.repeat && event.key.toLowerCase() === 't') {
      event.preventDefault();
      act.type();
    }
  });
  document.addEventListener('keyup', (event) => {
    if (event.key !== ' ' || !holding) return;
    // A button that has the focus must not be clicked by the release.
    event.preventDefault();
    release();
  });
  // A key released elsewhere is never heard of.
  window.addEventListener('blur', release);
}

/** @param {EventTarget | null} target */
function isField(target) {
  return target instanceof HTMLElement && target.matches('input, select, textarea');
}

/** Space on another button presses that; on the big one it must talk, not hang up. @param {EventTarget | null} target */
function isOursToTake(target) {
  if (!(target instanceof HTMLElement)) return true;
  const button = target.closest('button');
  return !button || button.id === 'call' || button.id === 'push-to-talk';
}
