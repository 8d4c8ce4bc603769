'use strict';

const { isGenuine } = require('./signature');

/** Text as a string of the hub's condition language (CEL). */
const quoted = (text) => JSON.stringify(String(text));

/**
 * A trigger that the hub tells what happens. `events`: the types; `condition(input)`: what must hold besides, or nothing; `sample`: the `data`
 * of a message; `fields`: what the user fills in; `output`: what is known of `data`.
 */
const hookTrigger = ({ key, noun, label, description, events, condition, fields, sample, output, hidden }) => {
  const eventsOf = (input) => (typeof events === 'function' ? events(input) : events);

  const performSubscribe = async (z, bundle) => {
    const body = { url: bundle.targetUrl, events: eventsOf(bundle.inputData), source: 'zapier' };
    const only = condition && condition(bundle.inputData);
    if (only) body.condition = only;
    const response = await z.request({ url: '/api/v1/webhooks', method: 'POST', body });
    return response.data;
  };

  const performUnsubscribe = async (z, bundle) => {
    await z.request({ url: `/api/v1/webhooks/${bundle.subscribeData.id}`, method: 'DELETE' });
    return { id: bundle.subscribeData.id };
  };

  const perform = (z, bundle) => {
    const { secret } = bundle.subscribeData || {};
    const { content, headers } = bundle.rawRequest || {};
    const nowSeconds = Math.floor(Date.now() / 1000);
    if (secret && !isGenuine({ content, headers, secret, nowSeconds })) {
      throw new z.errors.HaltedError('The message was not signed by your hub; it was ignored.');
    }
    // The platform adds the query of the address.
    const { querystring, ...message } = bundle.cleanedRequest;
    return [message];
  };

  const performList = async (z, bundle) => {
    const lists = eventsOf(bundle.inputData).map((event) =>
      z.request({ url: '/api/v1/events/samples', params: { event, limit: 3 } }),
    );
    return (await Promise.all(lists)).flatMap((response) => response.data);
  };

  return {
    key,
    noun,
    display: { label, description, hidden: Boolean(hidden) },
    operation: {
      type: 'hook',
      inputFields: fields || [],
      performSubscribe,
      performUnsubscribe,
      perform,
      performList,
      canPaginate: false,
      sample: {
        id: 'evt_0r3kd8m2v0000',
        event: Array.isArray(events) ? events[0] : 'message.received',
        timestamp: '2026-11-24T09:30:00Z',
        data: sample,
      },
      outputFields: [
        { key: 'id', label: 'Message ID', type: 'string' },
        { key: 'event', label: 'Event', type: 'string' },
        { key: 'timestamp', label: 'Time', type: 'datetime' },
        ...(output || []).map((field) => ({ ...field, key: `data__${field.key}` })),
      ],
    },
  };
};

module.exports = { hookTrigger, quoted };
