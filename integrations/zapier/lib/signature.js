'use strict';

const { createHmac, timingSafeEqual } = require('crypto');

/** How old or new a message may be, in seconds (Standard Webhooks). */
const TOLERANCE = 300;

/**
 * Whether the hub has signed a message, after Standard Webhooks. `headers`: by name; the platform writes `Http-` before each.
 */
const isGenuine = ({ content, headers, secret, nowSeconds }) => {
  const plain = Object.entries(headers || {}).map(([name, value]) => [name.toLowerCase().replace(/^http-/, ''), value]);
  const named = Object.fromEntries(plain);
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) => named[`webhook-${name}`]);
  if (!id || !/^\d+$/.test(timestamp || '') || !signatures) return false;
  if (Math.abs(nowSeconds - Number(timestamp)) > TOLERANCE) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${content}`).digest();
  return signatures.split(' ').some((signature) => {
    const [version, value] = signature.split(',', 2);
    const given = Buffer.from(value || '', 'base64');
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
  });
};

module.exports = { isGenuine };
