'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');

const { App, run, call, hook } = require('../support/hub');

const shape = (value) =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]))
    : typeof value;

test('a key is tried and labelled', async () => {
  const key = await run(App.authentication.test);
  assert.match(key.id, /^key_/);
  assert.equal(typeof key.name, 'string');
  assert.equal(key.account, 'main');
});

test('a key that is not known is refused', async () => {
  const authData = { base_url: process.env.SWITCHBOARD_URL, api_key: 'swb_unknown' };
  await assert.rejects(run(App.authentication.test, { authData }), /401|Refresh/i);
});

test('a message of a customer starts the Zap, as the sample said', async () => {
  const trigger = App.triggers.new_lead.operation;
  const receiver = await hook();
  const before = await run(trigger.performList);
  assert.ok(before.length >= 1, 'there is a sample before anything has happened');

  const subscribeData = await run(trigger.performSubscribe, { targetUrl: receiver.targetUrl });
  assert.match(subscribeData.id, /^wh_/);
  assert.match(subscribeData.secret, /^whsec_/);
  const again = await run(trigger.performSubscribe, { targetUrl: receiver.targetUrl });
  assert.equal(again.id, subscribeData.id);

  const sent = await run(App.creates.send_event.operation.perform, {
    inputData: { type: 'message.received', data: { senderName: 'Ann Example', messageContent: 'Hello' } },
  });
  assert.equal(sent.status, 'accepted');
  const message = await receiver.next();
  const [told] = await run(trigger.perform, { ...message, subscribeData });
  assert.equal(told.id, sent.id);
  assert.deepEqual(told.data, { senderName: 'Ann Example', messageContent: 'Hello' });
  const samples = await run(trigger.performList);
  const sample = samples.find((one) => one.id === sent.id);
  assert.deepEqual(sample, told, 'the sample of an event is its message, member by member');
  assert.deepEqual(Object.keys(shape(before[0])), Object.keys(shape(told)));

  const forged = { ...message, rawRequest: { ...message.rawRequest, content: message.rawRequest.content.replace('Ann', 'Bob') } };
  await assert.rejects(run(trigger.perform, { ...forged, subscribeData }), /not signed/);

  await run(trigger.performUnsubscribe, { targetUrl: receiver.targetUrl, subscribeData });
  await run(trigger.performUnsubscribe, { targetUrl: receiver.targetUrl, subscribeData });
  const left = await call('GET', '/api/v1/webhooks');
  assert.deepEqual(left.body.filter((one) => one.id === subscribeData.id), []);
  await receiver.close();
});

test('a subscription ends when Zapier says that it is gone', async () => {
  const trigger = App.triggers.task_completed.operation;
  const receiver = await hook();
  receiver.answerWith(410);
  const { id } = await run(trigger.performSubscribe, { targetUrl: receiver.targetUrl });
  await call('POST', '/v1/events', { type: 'task.completed', data: { id: 'tsk_1', title: 'Call back', status: 'done' } });
  await receiver.next();
  const isThere = async () => (await call('GET', `/v1/webhooks/${id}`)).status === 200;
  while (await isThere());
  await receiver.close();
});

test('only events that meet the condition start the Zap', async () => {
  const trigger = App.triggers.any_event.operation;
  const receiver = await hook();
  const inputData = { event: 'ticket.created', condition: "priority == 'high'" };
  const subscribeData = await run(trigger.performSubscribe, { targetUrl: receiver.targetUrl, inputData });
  for (const priority of ['low', 'high']) {
    await call('POST', '/v1/events', { type: 'ticket.created', data: { id: `tic_${priority}`, priority } });
  }
  const [told] = await run(trigger.perform, { ...(await receiver.next()), subscribeData });
  assert.equal(told.data.id, 'tic_high');
  await run(trigger.performUnsubscribe, { subscribeData });
  await receiver.close();
});

test('what is wrong is told in the words of the hub', async () => {
  const wrong = run(App.creates.send_event.operation.perform, { inputData: { type: 'message.recieved', data: {} } });
  await assert.rejects(wrong, /There is no event type|message\.received/);
});

test('the choice of an event lists what the hub knows', async () => {
  const list = await run(App.triggers.event_types.operation.perform);
  assert.ok(list.some((one) => one.id === 'message.received' && one.name.startsWith('message.received – ')));
});
