'use strict';

const { hookTrigger } = require('../lib/hook');

module.exports = hookTrigger({
  key: 'any_event',
  noun: 'Event',
  label: 'New Event',
  description: 'Triggers when an event of a type of your choice happens.',
  events: ({ event, condition }) => [event],
  condition: ({ condition }) => condition,
  fields: [
    {
      key: 'event',
      label: 'Event',
      type: 'string',
      required: true,
      dynamic: 'event_types.id.name',
    },
    {
      key: 'condition',
      label: 'Condition',
      type: 'string',
      helpText: "What must hold besides, in the hub's condition language, for example `priority == 'high'`.",
    },
  ],
  sample: { senderName: 'Ann Example', messageContent: 'Hello' },
});
