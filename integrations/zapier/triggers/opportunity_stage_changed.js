'use strict';

const { hookTrigger, quoted } = require('../lib/hook');
const { OPPORTUNITY } = require('../lib/fields');

module.exports = hookTrigger({
  key: 'opportunity_stage_changed',
  noun: 'Opportunity',
  label: 'Opportunity Stage Changed',
  description: 'Triggers when an opportunity moves to another stage.',
  events: ['opportunity.updated'],
  condition: ({ stage }) => `has(changes.stage)${stage ? ` && stage == ${quoted(stage)}` : ''}`,
  fields: [
    {
      key: 'stage',
      label: 'Stage',
      type: 'string',
      helpText: 'Only when it moves to this stage; leave it empty for every move.',
    },
  ],
  sample: {
    id: 'rec_0r3kd8m2v0000',
    name: 'Annual plan for 20 people',
    value: 4800,
    stage: 'Proposal',
    changes: { stage: { from: 'New', to: 'Proposal' } },
  },
  output: [
    ...OPPORTUNITY,
    { key: 'changes__stage__from', label: 'Stage Before', type: 'string' },
    { key: 'changes__stage__to', label: 'Stage Now', type: 'string' },
  ],
});
