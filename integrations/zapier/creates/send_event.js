'use strict';

const perform = async (z, bundle) => {
  const { type, event_id: id, data } = bundle.inputData;
  const event = { type, data: data || {} };
  if (id) event.id = id;
  const response = await z.request({ url: '/v1/events', method: 'POST', body: event });
  return response.data;
};

module.exports = {
  key: 'send_event',
  noun: 'Event',
  display: {
    label: 'Send Event',
    description: 'Sends an event to your hub, which delivers it to the systems that its routes name.',
  },
  operation: {
    inputFields: [
      { key: 'type', label: 'Event', type: 'string', required: true, dynamic: 'event_types.id.name' },
      {
        key: 'event_id',
        label: 'Event ID',
        type: 'string',
        helpText: 'Your own id of it: the same id again makes no second event.',
      },
      { key: 'data', label: 'Data', dict: true, helpText: 'For example senderName, senderEmail, messageContent.' },
    ],
    perform,
    sample: { id: 'evt_0r3kd8m2v0000', status: 'accepted', deliveries: 1 },
    outputFields: [
      { key: 'id', label: 'Event ID', type: 'string' },
      { key: 'status', label: 'Status', type: 'string' },
      { key: 'deliveries', label: 'Deliveries', type: 'integer' },
      { key: 'note', label: 'Note', type: 'string' },
    ],
  },
};
