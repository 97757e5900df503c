/** The page of the API: reads the server's own OpenAPI document and lays it out. */
import { byId, make, put } from '../view/element.js';
import { operationsByTag } from './document.js';
import { sectionOf } from './operation.js';

/** @typedef {import('./types.d.ts').Doc} Doc */
/** @typedef {import('./types.d.ts').Operation} Operation */

const DOCUMENT = new URL('../openapi.json', import.meta.url);

const main = byId('operations', HTMLElement);

try {
  show(await read());
} catch (error) {
  put(byId('state', HTMLElement), `The document cannot be shown: ${error instanceof Error ? error.message : error}`);
}
main.removeAttribute('aria-busy');

/** @returns {Promise<Doc>} */
async function read() {
  const answer = await fetch(DOCUMENT, { headers: { Accept: 'application/json' } });
  if (!answer.ok) throw new Error(`the server answered ${answer.status} to ${DOCUMENT.pathname}.`);
  return answer.json();
}

/** @param {Doc} doc */
function show(doc) {
  const title = `${doc.info.title} ${doc.info.version}`;
  document.title = `API - ${title}`;
  put(byId('title', HTMLElement), title);
  main.replaceChildren();
  const contents = byId('contents', HTMLElement);
  /** @type {{operation: Operation, shown: HTMLElement[]}[]} */
  const entries = [];
  for (const [tag, operations] of operationsByTag(doc)) {
    const part = make('section', 'tag');
    part.append(make('h2', '', tag));
    const list = make('ul');
    contents.append(make('h2', '', tag), list);
    for (const operation of operations) {
      const section = sectionOf(doc, operation, DOCUMENT.origin);
      const link = linkTo(operation);
      part.append(section);
      list.append(link);
      entries.push({ operation, shown: [section, link] });
    }
    main.append(part);
  }
  finding(entries);
  // The sections were not there yet when the browser looked for the one in the address.
  document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

/** @param {Operation} operation */
function linkTo({ id, method, path }) {
  const item = make('li');
  const link = make('a');
  link.setAttribute('href', `#${id}`);
  link.append(make('span', 'method', method), ' ', path);
  item.append(link);
  return item;
}

/** @param {{operation: Operation, shown: HTMLElement[]}[]} entries */
function finding(entries) {
  const find = byId('find', HTMLInputElement);
  const found = byId('found', HTMLElement);
  find.addEventListener('input', () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { operation, shown } of entries) {
      const text = [operation.method, operation.path, operation.summary, operation.description].join(' ').toLowerCase();
      const fits = words.every((word) => text.includes(word));
      count += Number(fits);
      for (const element of shown) element.hidden = !fits;
    }
    put(found, words.length ? `${count} of ${entries.length}` : '');
  });
}
