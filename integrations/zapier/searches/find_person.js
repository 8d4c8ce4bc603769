'use strict';

const { rows } = require('../lib/requests');
const { PERSON } = require('../lib/fields');

const perform = async (z, bundle) => {
  const response = await z.request({ url: '/v1/people', params: { email: bundle.inputData.email } });
  return rows(response);
};

module.exports = {
  key: 'find_person',
  noun: 'Person',
  display: { label: 'Find Person', description: 'Finds a person by e-mail address.' },
  operation: {
    inputFields: [{ key: 'email', label: 'E-mail', type: 'string', required: true }],
    perform,
    sample: { id: 'rec_0r3kd8m2v0000', firstName: 'Ann', lastName: 'Example', email: 'ann@example.com' },
    outputFields: PERSON,
  },
};
