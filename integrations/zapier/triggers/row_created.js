'use strict';

const { hookTrigger, quoted } = require('../lib/hook');

module.exports = hookTrigger({
  key: 'row_created',
  noun: 'Record',
  label: 'New Record in a Table',
  description: 'Triggers when a record is added to a table of your own.',
  events: ['row.created'],
  condition: ({ table }) => `table == ${quoted(table)}`,
  fields: [
    {
      key: 'table',
      label: 'Table',
      type: 'string',
      required: true,
      dynamic: 'tables.id.name',
    },
  ],
  sample: { id: 'rec_0r3kd8m2v0000', table: 'customers' },
  output: [
    { key: 'id', label: 'Record ID', type: 'string' },
    { key: 'table', label: 'Table', type: 'string' },
  ],
});
