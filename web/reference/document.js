/** The OpenAPI document: its operations by tag, and what its references lead to. */

/** @typedef {import('./types.d.ts').Doc} Doc */
/** @typedef {import('./types.d.ts').Operation} Operation */
/** @typedef {import('./types.d.ts').Schema} Schema */

const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'options', 'head', 'trace'];

/**
 * What stands at a local reference (`#/components/schemas/Voice`), else the thing itself.
 * Throws where it leads nowhere: the document is wrong then.
 *
 * @template {object} T
 * @param {Doc} doc @param {T & {$ref?: string}} thing @returns {T}
 */
export function resolved(doc, thing) {
  /** @type {any} */
  let here = thing;
  for (let steps = 0; here.$ref !== undefined; steps += 1) {
    const found = steps < 20 ? at(doc, here.$ref) : undefined;
    if (found === undefined) throw new Error(`The document refers to ${here.$ref}, which is not there.`);
    here = found;
  }
  return here;
}

/** The last part of what a reference names. @param {Schema} schema */
export function nameOf(schema) {
  return schema.$ref?.split('/').at(-1) ?? schema.title ?? '';
}

/** @param {Doc} doc @param {string} reference @returns {any} */
function at(doc, reference) {
  if (!reference.startsWith('#/')) return undefined;
  const parts = reference.slice(2).split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  return parts.reduce((here, part) => (here && Object.hasOwn(here, part) ? here[part] : undefined), /** @type {any} */ (doc));
}

/**
 * Operations by tag: the tags that the document lists first, then the others as they come.
 *
 * @param {Doc} doc @returns {Map<string, Operation[]>}
 */
export function operationsByTag(doc) {
  /** @type {Map<string, Operation[]>} */
  const byTag = new Map((doc.tags ?? []).map(({ name }) => [name, []]));
  for (const [path, item] of Object.entries(doc.paths ?? {})) {
    for (const method of METHODS) {
      const operation = read(doc, path, method, item);
      if (!operation) continue;
      const listed = byTag.get(operation.tag) ?? [];
      listed.push(operation);
      byTag.set(operation.tag, listed);
    }
  }
  return new Map([...byTag].filter(([, operations]) => operations.length));
}

/** @param {Doc} doc @param {string} path @param {string} method @param {any} item @returns {Operation | null} */
function read(doc, path, method, item) {
  const described = item[method];
  if (!described) return null;
  const shared = [...(item.parameters ?? []), ...(described.parameters ?? [])];
  const parameters = shared.map((parameter) => resolved(doc, parameter));
  return {
    ...described,
    id: described.operationId ?? `${method}-${path}`.replaceAll(/\W+/g, '-'),
    method: method.toUpperCase(),
    path,
    tag: described.tags?.[0] ?? 'other',
    parameters,
    security: described.security ?? doc.security ?? [],
  };
}

/** Who may ask, in words. @param {Operation} operation */
export function access({ security }) {
  if (!security.length) return 'Anybody may ask.';
  const needsNone = security.some((scheme) => Object.keys(scheme).length === 0);
  return needsNone
    ? 'Takes a key or a token, unless the server lets in anybody.'
    : 'Takes a key.';
}
