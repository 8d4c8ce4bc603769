'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');

const zapier = require('zapier-platform-core');
const schema = require('zapier-platform-schema');
const App = require('../index');
const { isGenuine } = require('../lib/signature');

test('the platform takes the definition', async () => {
  // The command checks the definition against zapier-platform-schema.
  const { results } = await zapier.createAppHandler(App)({ command: 'validate' });
  assert.deepEqual(results, []);
  assert.equal(schema.validateAppDefinition({}).valid, false);
});

test('each description begins as the platform asks', () => {
  for (const trigger of Object.values(App.triggers).filter((one) => !one.display.hidden)) {
    assert.match(trigger.display.description, /^Triggers when /, trigger.key);
  }
});

test('a sample has the members of a message', () => {
  for (const trigger of Object.values(App.triggers).filter((one) => one.operation.type === 'hook')) {
    assert.deepEqual(Object.keys(trigger.operation.sample), ['id', 'event', 'timestamp', 'data'], trigger.key);
  }
});

test('only what the hub has signed lately is genuine', () => {
  // The published vector of Standard Webhooks.
  const message = {
    content: '{"test": 2432232314}',
    headers: {
      'Http-Webhook-Id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'Http-Webhook-Timestamp': '1614265330',
      'Http-Webhook-Signature': 'v2,x v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    nowSeconds: 1614265330,
  };
  assert.ok(isGenuine(message));
  assert.ok(isGenuine({ ...message, nowSeconds: 1614265330 + 300 }));
  for (const wrong of [
    { nowSeconds: 1614265330 + 301 },
    { nowSeconds: 1614265330 - 301 },
    { content: '{"test": 2432232315}' },
    { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx' },
    { headers: { ...message.headers, 'Http-Webhook-Signature': 'v1,' } },
    { headers: { ...message.headers, 'Http-Webhook-Timestamp': 'hello' } },
    { headers: {} },
    { headers: undefined },
  ]) {
    assert.ok(!isGenuine({ ...message, ...wrong }), JSON.stringify(wrong));
  }
});
