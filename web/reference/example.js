/** Examples made from schemas: the shortest value that shows what belongs where. */
import { resolved } from './document.js';

/** @typedef {import('./types.d.ts').Doc} Doc */
/** @typedef {import('./types.d.ts').Schema} Schema */
/** @typedef {import('./types.d.ts').Media} Media */

/** The example that a media type gives, else one made from its schema. @param {Doc} doc @param {Media} media @returns {unknown} */
export function exampleOfMedia(doc, media) {
  if (media.example !== undefined) return media.example;
  const given = Object.values(media.examples ?? {}).find(({ value }) => value !== undefined);
  return given ? given.value : example(doc, media.schema ?? {});
}

/**
 * A value that fits the schema; what is said to be an example or a default goes before what we
 * make up. What holds itself is null there.
 *
 * @param {Doc} doc @param {Schema} schema @param {string[]} [around] references that led here
 * @returns {unknown}
 */
export function example(doc, schema, around = []) {
  if (schema.$ref && around.includes(schema.$ref)) return null;
  const here = resolved(doc, schema);
  const within = schema.$ref ? [...around, schema.$ref] : around;
  const told = [here.example, here.examples?.[0], here.const, here.default].find((value) => value !== undefined && value !== null);
  if (told !== undefined) return told;
  if (here.enum) return here.enum[0];
  if (here.allOf) return together(here.allOf.map((part) => example(doc, part, within)));
  const meanings = here.anyOf ?? here.oneOf;
  if (meanings) return example(doc, meanings.find((one) => one.type !== 'null') ?? {}, within);
  return made(doc, here, within);
}

/** @param {Doc} doc @param {Schema} schema @param {string[]} within @returns {unknown} */
function made(doc, schema, within) {
  const type = [schema.type].flat().find((one) => one !== 'null') ?? (schema.properties ? 'object' : undefined);
  switch (type) {
    case 'object':
      return Object.fromEntries(members(schema).map(([name, member]) => [name, example(doc, member, within)]));
    case 'array':
      if (schema.prefixItems) return schema.prefixItems.map((item) => example(doc, item, within));
      return [example(doc, schema.items ?? {}, within)].filter((item) => item !== null);
    case 'string':
      return text(schema);
    case 'integer':
    case 'number':
      return schema.minimum ?? (schema.exclusiveMinimum !== undefined ? schema.exclusiveMinimum + 1 : 0);
    case 'boolean':
      return false;
    default:
      return null;
  }
}

/** Of an object: what has to be there, or all of it where nothing has to. @param {Schema} schema */
function members(schema) {
  const all = Object.entries(schema.properties ?? {});
  const needed = all.filter(([name]) => schema.required?.includes(name));
  return needed.length ? needed : all;
}

/** @param {unknown[]} parts */
function together(parts) {
  const objects = parts.filter((part) => typeof part === 'object' && part !== null);
  return objects.length ? Object.assign({}, ...objects) : parts[0] ?? null;
}

/** @type {Record<string, string>} */
const FORMATS = {
  'date-time': '2026-01-31T12:00:00Z',
  date: '2026-01-31',
  uuid: '00000000-0000-4000-8000-000000000000',
  uri: 'https://example.org/',
  email: 'user@example.org',
  byte: 'AAAA',
  base64: 'AAAA',
};

/** @param {Schema} schema */
function text({ format }) {
  return (format && FORMATS[format]) ?? '...';
}
