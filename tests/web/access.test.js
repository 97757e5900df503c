/** Who calls: what the page was opened with, or a key, and neither is left lying about. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Access, asksForKey, takeToken } from '../../web/access.js';
import { CallFailure } from '../../web/failure.js';

const signal = new AbortController().signal;

/** @param {string} address */
function opened(address) {
  const location = new URL(address);
  /** @type {string[]} */
  const shown = [];
  const token = takeToken(location, { replaceState: (_data, _unused, url) => void shown.push(url) });
  return { token, shown };
}

test('the token is taken out of the address, and nothing else is', () => {
  assert.deepEqual(opened('http://h/p?q=1#token=st_a'), { token: 'st_a', shown: ['/p?q=1'] });
  assert.deepEqual(opened('http://h/#x=1&token=st_a&y=2'), { token: 'st_a', shown: ['/#x=1&y=2'] });
  assert.deepEqual(opened('http://h/#token='), { token: '', shown: ['/'] });
  assert.deepEqual(opened('http://h/#section'), { token: '', shown: [] });
  assert.deepEqual(opened('http://h/?token=st_a'), { token: '', shown: [] });
});

test('a server that asks nobody is told nothing', async () => {
  assert.equal(await new Access('', () => assert.fail()).credential(signal), '');
});

test('a call is begun with the token that the page was opened with', async () => {
  assert.equal(await new Access('st_a', () => assert.fail()).credential(signal), 'st_a');
});

test('with a key each call is begun with a start token of its own, never with the key', async () => {
  let made = 0;
  const access = new Access('st_old', async (key) => `st_${key}_${++made}`);
  access.use('secret');
  assert.equal(await access.credential(signal), 'st_secret_1');
  assert.equal(await access.credential(signal), 'st_secret_2');
});

test('a key is asked for where one helps, and no other way in is tried', () => {
  for (const code of ['key_needed', 'key_unknown', 'scope_missing']) assert.ok(asksForKey(code), code);
  for (const code of ['token_spent', 'voice_disabled_for_user', 'server_full', undefined]) assert.ok(!asksForKey(code));
  for (const code of ['key_needed', 'key_unknown', 'scope_missing', 'token_spent', 'voice_disabled_for_user']) {
    const failure = new CallFailure(code);
    assert.ok(!failure.isOfTransport && !failure.isFull, code);
  }
  assert.ok(new CallFailure('rate_limited').isFull);
});
