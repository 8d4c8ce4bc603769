'use strict';

const { rows } = require('../lib/requests');

module.exports = {
  key: 'tables',
  noun: 'Table',
  display: {
    label: 'New Table',
    description: 'The list behind the choice of a table.',
    hidden: true,
  },
  operation: {
    perform: async (z) => {
      const tables = rows(await z.request({ url: '/v1/tables' }));
      return tables.map((table) => ({ id: table.key || table.name, name: table.title || table.name || table.key }));
    },
    sample: { id: 'customers', name: 'Customers' },
  },
};
