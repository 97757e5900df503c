/** Schemas as nested lists of members: name, type, bounds, meaning. */
import { make } from '../view/element.js';
import { nameOf, resolved } from './document.js';

/** @typedef {import('./types.d.ts').Doc} Doc */
/** @typedef {import('./types.d.ts').Schema} Schema */

/** How far alternatives and lists are followed into each other: some lead back to themselves. */
const DEEPEST = 6;

/**
 * What a value of the schema consists of; an empty list for one without members.
 *
 * @param {Doc} doc @param {Schema} schema @param {string[]} [above] names of the schemas around it
 * @returns {HTMLElement}
 */
export function membersOf(doc, schema, above = []) {
  const list = make('ul', 'members');
  for (const [name, member, needed] of membersIn(doc, schema)) {
    list.append(memberOf(doc, name, member, needed, above));
  }
  return list;
}

/** @param {Doc} doc @param {string} name @param {Schema} schema @param {boolean} needed @param {string[]} above */
function memberOf(doc, name, schema, needed, above) {
  const item = make('li');
  item.append(make('code', 'member', name), ' ', make('span', 'type', typeOf(doc, schema)));
  if (needed) item.append(' ', make('span', 'needed', 'required'));
  const told = [schema.description ?? resolved(doc, schema).description, bounds(resolved(doc, schema))].filter(Boolean);
  if (told.length) item.append(prose(told.join(' ')));
  for (const inner of objectsIn(doc, schema)) {
    const own = nameOf(inner);
    if (own && above.includes(own)) continue; // it holds itself
    const below = membersOf(doc, inner, own ? [...above, own] : above);
    if (below.childElementCount) item.append(folded(own || 'Members', below));
  }
  return item;
}

/** @param {string} title @param {HTMLElement} content */
export function folded(title, content) {
  const details = make('details');
  details.append(make('summary', '', title), content);
  return details;
}

/** Text with `code` in backticks, as docstrings are written. @param {string} text @param {string} [tag] */
export function prose(text, tag = 'p') {
  const block = make(tag, 'prose');
  text.split('`').forEach((piece, i) => block.append(i % 2 ? make('code', '', piece) : piece));
  return block;
}

/** The type in a few words: `array of Voice`, `string (date-time) or null`. @param {Doc} doc @param {Schema} schema @param {number} [depth] @returns {string} */
export function typeOf(doc, schema, depth = 0) {
  if (depth > DEEPEST) return '...';
  const here = resolved(doc, schema);
  const meanings = here.anyOf ?? here.oneOf;
  if (meanings) return [...new Set(meanings.map((one) => typeOf(doc, one, depth + 1)))].join(' or ');
  if (here.enum) return here.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (here.const !== undefined) return JSON.stringify(here.const);
  if (here.type === 'array' && here.items) return `array of ${typeOf(doc, here.items, depth + 1)}`;
  if (here.properties) return nameOf(schema.$ref ? schema : here) || 'object';
  const type = [here.type ?? (here.allOf ? 'object' : 'any')].flat().join(' or ');
  return here.format ? `${type} (${here.format})` : type;
}

/** @param {Schema} schema */
function bounds(schema) {
  /** @type {[unknown, string, string][]} */
  const all = [
    [schema.minimum, 'at least', ''], [schema.exclusiveMinimum, 'more than', ''],
    [schema.maximum, 'at most', ''], [schema.exclusiveMaximum, 'less than', ''],
    [schema.minLength, 'at least', ' characters'], [schema.maxLength, 'at most', ' characters'],
    [schema.minItems, 'at least', ' items'], [schema.maxItems, 'at most', ' items'],
    [schema.pattern, 'matches', ''],
  ];
  const told = all.filter(([value]) => value !== undefined).map(([value, before, after]) => `${before} ${value}${after}`);
  if (schema.default !== undefined && schema.default !== null) told.push(`default ${JSON.stringify(schema.default)}`);
  const text = told.join(', ');
  return text && `${text[0].toUpperCase()}${text.slice(1)}.`;
}

/** @param {Doc} doc @param {Schema} schema @returns {[string, Schema, boolean][]} */
function membersIn(doc, schema) {
  const here = resolved(doc, schema);
  const own = Object.entries(here.properties ?? {});
  /** @type {[string, Schema, boolean][]} */
  const members = own.map(([name, member]) => [name, member, here.required?.includes(name) ?? false]);
  return [...members, ...(here.allOf ?? []).flatMap((part) => membersIn(doc, part))];
}

/** The objects that a member is, or holds. @param {Doc} doc @param {Schema} schema @param {number} [depth] @returns {Schema[]} */
function objectsIn(doc, schema, depth = 0) {
  if (depth > DEEPEST) return [];
  const here = resolved(doc, schema);
  const inner = [...(here.anyOf ?? here.oneOf ?? []), ...(here.items ? [here.items] : []), ...(here.prefixItems ?? [])];
  if (typeof here.additionalProperties === 'object') inner.push(here.additionalProperties);
  return here.properties || here.allOf ? [schema.$ref ? schemaNamed(schema, here) : here] : inner.flatMap((one) => objectsIn(doc, one, depth + 1));
}

/** @param {Schema} reference @param {Schema} schema @returns {Schema} */
function schemaNamed(reference, schema) {
  return { ...schema, title: nameOf(reference) };
}
