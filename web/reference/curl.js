/** The request of an operation as a line for a shell. */
import { exampleOfMedia } from './example.js';
import { resolved } from './document.js';

/** @typedef {import('./types.d.ts').Doc} Doc */
/** @typedef {import('./types.d.ts').Media} Media */
/** @typedef {import('./types.d.ts').Operation} Operation */

const WIDE = 72;

/** One argument, as a POSIX shell takes it unchanged. @param {string} text */
export function quoted(text) {
  return /^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * @param {Doc} doc @param {Operation} operation @param {string} server where the document came from
 * @param {string} [mediaType] of the body, the first one without it
 */
export function curl(doc, operation, server, mediaType) {
  const parts = ['curl'];
  const content = operation.requestBody?.content ?? {};
  const kind = mediaType ?? Object.keys(content)[0];
  const isStream = Object.values(operation.responses ?? {}).some((answer) => answer.content?.['text/event-stream']);
  if (isStream) parts.push('--no-buffer');
  if (operation.method !== (kind ? 'POST' : 'GET')) parts.push(`--request ${operation.method}`);
  parts.push(quoted(address(operation, server)));
  if (operation.security.length) parts.push('--header "Authorization: Bearer $INZWA_KEY"');
  for (const { name, in: place, required } of operation.parameters) {
    if (place === 'header' && required) parts.push(`--header ${quoted(`${name}: ...`)}`);
  }
  if (kind && content[kind]) parts.push(...body(doc, kind, content[kind]));
  const whole = parts.join(' ');
  return whole.length <= WIDE ? whole : parts.join(' \\\n  ');
}

/** @param {Operation} operation @param {string} server */
function address({ path, parameters }, server) {
  const needed = parameters.filter((one) => one.in === 'query' && one.required);
  const query = needed.map(({ name }) => `${encodeURIComponent(name)}=...`).join('&');
  return `${server}${path.replaceAll(/\{(\w+)\}/g, (_, name) => name.toUpperCase())}${query ? `?${query}` : ''}`;
}

/** @param {Doc} doc @param {string} kind @param {Media} media @returns {string[]} */
function body(doc, kind, media) {
  if (kind === 'multipart/form-data') return forms(doc, media);
  const header = `--header ${quoted(`Content-Type: ${kind}`)}`;
  if (!/json/.test(kind)) return [header, '--data-binary @FILE'];
  return [header, `--data ${quoted(JSON.stringify(exampleOfMedia(doc, media)))}`];
}

/** @param {Doc} doc @param {Media} media @returns {string[]} */
function forms(doc, media) {
  const schema = resolved(doc, media.schema ?? {});
  const parts = (schema.allOf ?? [schema]).map((part) => resolved(doc, part));
  return parts.flatMap((part) =>
    (part.required ?? []).map((name) => {
      const member = resolved(doc, part.properties?.[name] ?? {});
      return `--form ${member.format === 'binary' ? `${name}=@FILE` : `${name}=...`}`;
    }),
  );
}
