/** The dashboard's parts that decide: lines of charts, what is found, lengths. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathOf, roundedUp } from '../../web/dashboard/chart.js';
import { lengthOf } from '../../web/dashboard/view/calls.js';
import { takingOf } from '../../web/dashboard/view/overview.js';
import { found } from '../../web/dashboard/view/config.js';

test('a line has a gap where nothing was measured, and a dot where one value stands alone', () => {
  assert.equal(pathOf([0, 100], 100), 'M3.0 54.0h.1L237.0 4.0');
  assert.equal(pathOf([0, null, 50], 100), 'M3.0 54.0h.1M237.0 29.0h.1');
  assert.equal(pathOf([null, null], 100), '');
});

test('what is above the scale stays within the chart', () => {
  assert.equal(pathOf([900], 100), 'M3.0 4.0h.1');
});

test('the scale is the next round number', () => {
  assert.deepEqual([0, 1, 120, 200, 201, 1200, 7000].map(roundedUp), [1, 1, 200, 200, 500, 2000, 10000]);
});

test('a length is told in minutes and seconds', () => {
  assert.deepEqual([0, 9.9, 61, 3600].map(lengthOf), ['0:00', '0:09', '1:01', '60:00']);
});

test('a setting is found by a part of its name, be it set or not', () => {
  const settings = [
    { name: 'port', value: 8080, origin: 'default' },
    { name: 'turn.silence_ms', value: 700, origin: 'file' },
  ];
  const names = (/** @type {string} */ wanted, /** @type {boolean} */ onlySet) => found(settings, wanted, onlySet).map(({ name }) => name);
  assert.deepEqual(names('', true), ['turn.silence_ms']);
  assert.deepEqual(names('', false), ['port', 'turn.silence_ms']);
  assert.deepEqual(names(' PORT ', true), ['port']);
});

test('whether calls are let in is told, and why they are not', () => {
  const figures = { takes_calls: true, has_room: true, late_ms: 41.6 };
  const told = (/** @type {object} */ now) => takingOf({ ...figures, ...now }, (key, values) => [key, values?.ms].join(' ').trim());
  assert.equal(told({}), 'takes_calls');
  assert.equal(told({ has_room: false }), 'takes_busy 42');
  assert.equal(told({ takes_calls: false, has_room: false }), 'takes_none');
});
