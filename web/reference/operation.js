/** One operation on the page: who may ask, what it takes, what it answers, and a line to try it. */
import { make } from '../view/element.js';
import { curl } from './curl.js';
import { access, resolved } from './document.js';
import { exampleOfMedia } from './example.js';
import { folded, membersOf, prose, typeOf } from './schema.js';

/** @typedef {import('./types.d.ts').Doc} Doc */
/** @typedef {import('./types.d.ts').Media} Media */
/** @typedef {import('./types.d.ts').Operation} Operation */

/** @param {Doc} doc @param {Operation} operation @param {string} server @returns {HTMLElement} */
export function sectionOf(doc, operation, server) {
  const section = make('section', 'operation');
  section.id = operation.id;
  const heading = make('h3');
  const link = make('a', 'path', operation.path);
  link.setAttribute('href', `#${operation.id}`);
  heading.append(make('span', 'method', operation.method), ' ', link);
  section.append(heading, make('p', 'summary', operation.summary ?? ''));
  if (operation.deprecated) section.append(make('p', 'needed', 'Deprecated.'));
  const paragraphs = (operation.description ?? '').split(/\n\s*\n/);
  section.append(...paragraphs.filter((text) => text && text !== `${operation.summary}.`).map((text) => prose(text)));
  section.append(make('p', 'soft', access(operation)));
  section.append(...parametersOf(doc, operation), ...bodyOf(doc, operation), line(doc, operation, server));
  section.append(...answersOf(doc, operation));
  return section;
}

/** @param {Doc} doc @param {Operation} operation @returns {HTMLElement[]} */
function parametersOf(doc, { parameters }) {
  if (!parameters.length) return [];
  const table = make('table');
  const head = make('tr');
  for (const title of ['Parameter', 'In', 'Type', 'Meaning']) head.append(make('th', '', title));
  table.append(head);
  for (const { name, in: place, required, description, schema = {} } of parameters) {
    const row = make('tr');
    const named = make('td');
    named.append(make('code', 'member', name), required ? ' ' : '', required ? make('span', 'needed', 'required') : '');
    row.append(named, make('td', '', place), make('td', 'type', typeOf(doc, schema)));
    row.append(prose(description ?? schema.description ?? '', 'td'));
    table.append(row);
  }
  return [make('h4', '', 'Parameters'), table];
}

/** @param {Doc} doc @param {Operation} operation @returns {HTMLElement[]} */
function bodyOf(doc, { requestBody }) {
  const kinds = Object.entries(requestBody?.content ?? {});
  if (!kinds.length) return [];
  const parts = kinds.flatMap(([kind, media]) => mediaOf(doc, kind, media, 'Example'));
  return [make('h4', '', 'Body'), ...(requestBody?.description ? [prose(requestBody.description)] : []), ...parts];
}

/** @param {Doc} doc @param {string} kind @param {Media} media @param {string} title @returns {HTMLElement[]} */
function mediaOf(doc, kind, media, title) {
  const schema = media['x-event'] ?? media.schema ?? {};
  const name = make('p', 'media');
  name.append(make('code', '', kind), ' ', make('span', 'type', `${media['x-event'] ? 'each event: ' : ''}${typeOf(doc, schema)}`));
  const members = membersOf(doc, schema);
  const parts = [name];
  if (members.childElementCount) parts.push(members);
  if (/json|event-stream/.test(kind)) {
    const value = JSON.stringify(exampleOfMedia(doc, { ...media, schema }), null, 2);
    const shown = /event-stream/.test(kind) ? `data: ${JSON.stringify(JSON.parse(value))}` : value;
    parts.push(folded(title, code(shown)));
  }
  return parts;
}

/** @param {string} text */
function code(text) {
  const block = make('pre');
  block.append(make('code', '', text));
  return block;
}

/** @param {Doc} doc @param {Operation} operation @param {string} server */
function line(doc, operation, server) {
  const box = make('div', 'line');
  const text = curl(doc, operation, server);
  const copy = make('button', 'copy', 'Copy');
  copy.setAttribute('type', 'button');
  copy.addEventListener('click', () => void copied(copy, text));
  box.append(code(text), copy);
  return box;
}

/** @param {HTMLElement} button @param {string} text */
async function copied(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    button.textContent = 'Select it by hand'; // over plain http browsers have no clipboard
  }
}

/** Good answers in full; refusals, which mostly share a shape, in one list. @param {Doc} doc @param {Operation} operation @returns {HTMLElement[]} */
function answersOf(doc, { responses = {} }) {
  const all = Object.entries(responses).map(([status, answer]) => ({ status, ...resolved(doc, answer) }));
  const parts = [make('h4', '', 'Answers')];
  for (const { status, description, content } of all.filter((one) => !isRefusal(one.status))) {
    const told = make('p', 'answer');
    told.append(make('code', 'status', status), ' ', description ?? '');
    parts.push(told, ...Object.entries(content ?? {}).flatMap(([kind, media]) => mediaOf(doc, kind, media, 'Example')));
  }
  const refusals = all.filter((one) => isRefusal(one.status));
  if (refusals.length) parts.push(folded(`Errors: ${refusals.map(({ status }) => status).join(', ')}`, errors(doc, refusals)));
  return parts;
}

/** @param {string} status */
const isRefusal = (status) => /^[45]|default/.test(status);

/** @param {Doc} doc @param {{status: string, description?: string, content?: Record<string, Media>}[]} refusals */
function errors(doc, refusals) {
  const box = make('div');
  const list = make('ul', 'members');
  /** @type {Map<string, [string, Media]>} */
  const shapes = new Map();
  for (const { status, description, content } of refusals) {
    const item = make('li');
    item.append(make('code', 'status', status), ' ', description ?? '');
    list.append(item);
    for (const [kind, media] of Object.entries(content ?? {})) shapes.set(`${kind} ${JSON.stringify(media)}`, [kind, media]);
  }
  box.append(list, ...[...shapes.values()].flatMap(([kind, media]) => mediaOf(doc, kind, media, 'Example')));
  return box;
}
