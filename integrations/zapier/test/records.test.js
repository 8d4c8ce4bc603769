'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');

const { App, run, call, hook } = require('../support/hub');

const create = (key, inputData) => run(App.creates[key].operation.perform, { inputData });

test('a person is created, starts a Zap, and is found by e-mail at once', async () => {
  const trigger = App.triggers.new_person.operation;
  const receiver = await hook();
  const subscribeData = await run(trigger.performSubscribe, { targetUrl: receiver.targetUrl });
  const find = (email) => run(App.searches.find_person.operation.perform, { inputData: { email } });
  assert.deepEqual(await find('ann@example.com'), []);

  const person = await create('create_person', {
    firstName: 'Ann',
    lastName: 'Example',
    email: 'ann@example.com',
    phone: '',
  });
  assert.equal(typeof person.id, 'string');
  const found = await find('ann@example.com');
  assert.deepEqual(found.map((one) => one.id), [person.id]);
  assert.equal(found[0].firstName, 'Ann');

  const [told] = await run(trigger.perform, { ...(await receiver.next()), subscribeData });
  assert.equal(told.event, 'person.created');
  assert.equal(told.data.id, person.id);
  assert.equal(told.data.email, 'ann@example.com');
  await run(trigger.performUnsubscribe, { subscribeData });
  await receiver.close();
});

test('a task is created, and starts a Zap when it is done', async () => {
  const trigger = App.triggers.task_completed.operation;
  const receiver = await hook();
  const subscribeData = await run(trigger.performSubscribe, { targetUrl: receiver.targetUrl });
  const task = await create('create_task', { title: 'Call Ann Example back', dueAt: '2026-12-01T10:00:00Z' });
  const changed = await call('PATCH', `/v1/tasks/${task.id}`, { status: 'done' });
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
  const [told] = await run(trigger.perform, { ...(await receiver.next()), subscribeData });
  assert.equal(told.data.id, task.id);
  await run(trigger.performUnsubscribe, { subscribeData });
  await receiver.close();
});

test('a Zap starts when an opportunity moves to the stage, and when it is won', async () => {
  const [moved, won] = ['opportunity_stage_changed', 'opportunity_won'].map((key) => App.triggers[key].operation);
  const [first, second] = [await hook(), await hook()];
  const inputData = { stage: 'Proposal' };
  const data = await run(moved.performSubscribe, { targetUrl: first.targetUrl, inputData });
  const wonData = await run(won.performSubscribe, { targetUrl: second.targetUrl });
  const opportunity = await create('create_opportunity', { name: 'Annual plan', value: 4800, stage: 'New' });
  for (const change of [{ value: 4900 }, { stage: 'Meeting' }, { stage: 'Proposal' }, { stage: 'Won' }]) {
    const changed = await call('PATCH', `/v1/opportunities/${opportunity.id}`, change);
    assert.equal(changed.status, 200, JSON.stringify(changed.body));
  }
  const [told] = await run(moved.perform, { ...(await first.next()), subscribeData: data });
  assert.equal(told.data.stage, 'Proposal');
  assert.equal(told.data.changes.stage.from, 'Meeting');
  const [end] = await run(won.perform, { ...(await second.next()), subscribeData: wonData });
  assert.equal(end.event, 'opportunity.won');
  assert.equal(end.data.id, opportunity.id);
  await Promise.all([first.close(), second.close()]);
});

test('a record in a table of the choice starts a Zap, one in another table does not', async () => {
  const trigger = App.triggers.row_created.operation;
  const receiver = await hook();
  for (const key of ['customers', 'suppliers']) {
    const made = await call('POST', '/v1/tables', { key, title: `Our ${key}`, fields: [{ name: 'name', type: 'text' }] });
    assert.equal(made.status, 201, JSON.stringify(made.body));
  }
  const choices = await run(App.triggers.tables.operation.perform);
  assert.deepEqual(choices, [
    { id: 'customers', name: 'Our customers' },
    { id: 'suppliers', name: 'Our suppliers' },
  ]);
  const inputData = { table: choices[0].id };
  const subscribeData = await run(trigger.performSubscribe, { targetUrl: receiver.targetUrl, inputData });
  for (const table of ['suppliers', 'customers']) {
    const made = await call('POST', `/v1/tables/${table}/rows`, { name: `a row of ${table}` });
    assert.equal(made.status, 201, JSON.stringify(made.body));
  }
  const [told] = await run(trigger.perform, { ...(await receiver.next()), subscribeData });
  assert.equal(told.data.table, 'customers');
  assert.equal(told.data.name, 'a row of customers');
  await run(trigger.performUnsubscribe, { subscribeData });
  await receiver.close();
});
