/** A conversation as plain text. */
/** @import {Translate, Turn} from './types.js' */

/** @param {Turn[]} turns @param {Translate} t */
export function transcriptOf(turns, t) {
  const lines = turns.flatMap(({ caller, answer, gap }) => [
    caller ? `${t('caller')}: ${caller.text || t('not_understood')}` : '',
    answer?.text ? `${t('assistant')}: ${answered(answer, t)}` : '',
    gap ? `(${t('gap')})` : '',
  ]);
  return `${lines.filter(Boolean).join('\n\n')}\n`;
}

/** @param {import('./types.js').Answer} answer @param {Translate} t */
function answered({ text, heard }, t) {
  if (heard === null || heard >= text.length) return text;
  return `${text.slice(0, heard).trimEnd()} [${t('not_heard')}: ${text.slice(heard).trim()}]`;
}

/** @param {string} text @param {string} name */
export function saveText(text, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
