'use strict';

const { filledIn } = require('../lib/requests');
const { OPPORTUNITY } = require('../lib/fields');

const FIELDS = [
  { key: 'name', label: 'Name', type: 'string', required: true },
  { key: 'value', label: 'Value', type: 'number' },
  { key: 'currency', label: 'Currency', type: 'string', placeholder: 'EUR' },
  { key: 'stage', label: 'Stage', type: 'string' },
  { key: 'person', label: 'Person', type: 'string', helpText: 'Whom it is with: the ID that the search gives, or an e-mail address.' },
];

const perform = async (z, bundle) => {
  const names = FIELDS.map((field) => field.key);
  const response = await z.request({ url: '/v1/opportunities', method: 'POST', body: filledIn(bundle.inputData, names) });
  return response.data;
};

module.exports = {
  key: 'create_opportunity',
  noun: 'Opportunity',
  display: { label: 'Create Opportunity', description: 'Creates a new opportunity.' },
  operation: {
    inputFields: FIELDS,
    perform,
    sample: { id: 'rec_0r3kd8m2v0000', name: 'Annual plan for 20 people', value: 4800, stage: 'New' },
    outputFields: OPPORTUNITY,
  },
};
