'use strict';

const { rows } = require('../lib/requests');

module.exports = {
  key: 'event_types',
  noun: 'Event Type',
  display: {
    label: 'New Event Type',
    description: 'The list behind the choice of an event.',
    hidden: true,
  },
  operation: {
    perform: async (z) => rows(await z.request({ url: '/v1/event-types' })).map(({ id, name }) => ({ id, name: `${id} – ${name}` })),
    sample: { id: 'message.received', name: 'message.received – a message came in' },
  },
};
