'use strict';

const { hookTrigger } = require('../lib/hook');
const { OPPORTUNITY } = require('../lib/fields');

module.exports = hookTrigger({
  key: 'opportunity_won',
  noun: 'Opportunity',
  label: 'Opportunity Won',
  description: 'Triggers when an opportunity is won.',
  events: ['opportunity.won'],
  sample: { id: 'rec_0r3kd8m2v0000', name: 'Annual plan for 20 people', value: 4800, stage: 'Won' },
  output: OPPORTUNITY,
});
