'use strict';

const { hookTrigger } = require('../lib/hook');
const { PERSON } = require('../lib/fields');

module.exports = hookTrigger({
  key: 'new_person',
  noun: 'Person',
  label: 'New Person',
  description: 'Triggers when a person is added.',
  events: ['person.created'],
  sample: { id: 'rec_0r3kd8m2v0000', firstName: 'Ann', lastName: 'Example', email: 'ann@example.com', phone: '+12025550143' },
  output: PERSON,
});
