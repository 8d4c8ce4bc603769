'use strict';

const { filledIn } = require('../lib/requests');
const { TASK } = require('../lib/fields');

const FIELDS = [
  { key: 'title', label: 'Title', type: 'string', required: true },
  { key: 'description', label: 'Description', type: 'text' },
  { key: 'dueAt', label: 'Due', type: 'datetime' },
  { key: 'status', label: 'Status', type: 'string', choices: { todo: 'To do', in_progress: 'In progress', done: 'Completed' } },
  { key: 'person', label: 'Person', type: 'string', helpText: 'Whom it is about: the ID that the search gives, or an e-mail address.' },
];

const perform = async (z, bundle) => {
  const names = FIELDS.map((field) => field.key);
  const response = await z.request({ url: '/v1/tasks', method: 'POST', body: filledIn(bundle.inputData, names) });
  return response.data;
};

module.exports = {
  key: 'create_task',
  noun: 'Task',
  display: { label: 'Create Task', description: 'Creates a new task.' },
  operation: {
    inputFields: FIELDS,
    perform,
    sample: { id: 'rec_0r3kd8m2v0000', title: 'Call Ann Example back', status: 'todo' },
    outputFields: TASK,
  },
};
