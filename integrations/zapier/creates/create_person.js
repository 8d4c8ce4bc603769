'use strict';

const { filledIn } = require('../lib/requests');
const { PERSON } = require('../lib/fields');

const FIELDS = [
  { key: 'firstName', label: 'First Name', type: 'string' },
  { key: 'lastName', label: 'Last Name', type: 'string' },
  { key: 'email', label: 'E-mail', type: 'string' },
  { key: 'phone', label: 'Phone', type: 'string', helpText: 'With the country, for example +1 202 555 0143.' },
  { key: 'company', label: 'Company', type: 'string' },
  { key: 'jobTitle', label: 'Job Title', type: 'string' },
  { key: 'notes', label: 'Notes', type: 'text' },
];

const perform = async (z, bundle) => {
  const names = FIELDS.map((field) => field.key);
  const response = await z.request({ url: '/v1/people', method: 'POST', body: filledIn(bundle.inputData, names) });
  return response.data;
};

module.exports = {
  key: 'create_person',
  noun: 'Person',
  display: {
    label: 'Create Person',
    description: 'Creates a new person, or updates the one who is known by the same e-mail address or phone number.',
  },
  operation: {
    inputFields: FIELDS,
    perform,
    sample: { id: 'rec_0r3kd8m2v0000', firstName: 'Ann', lastName: 'Example', email: 'ann@example.com' },
    outputFields: PERSON,
  },
};
