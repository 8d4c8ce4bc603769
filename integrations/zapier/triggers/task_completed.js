'use strict';

const { hookTrigger } = require('../lib/hook');
const { TASK } = require('../lib/fields');

module.exports = hookTrigger({
  key: 'task_completed',
  noun: 'Task',
  label: 'Task Completed',
  description: 'Triggers when a task is finished.',
  events: ['task.completed'],
  sample: { id: 'rec_0r3kd8m2v0000', title: 'Call Ann Example back', status: 'done' },
  output: TASK,
});
