'use strict';

/** Which key it is: the cheapest call there is, allowed to every key. */
const test = async (z) => {
  const response = await z.request({ url: '/v1/me' });
  return response.data;
};

module.exports = {
  type: 'custom',
  fields: [
    {
      key: 'base_url',
      label: 'Address of your hub',
      type: 'string',
      required: true,
      placeholder: 'https://hub.example.org',
      helpText: 'Zapier has to reach it from the internet, with https.',
    },
    {
      key: 'api_key',
      label: 'API key',
      type: 'password',
      required: true,
      helpText: '`switchboard keys create Zapier` makes one. It begins with `swb_`.',
    },
  ],
  test,
  connectionLabel: '{{account}} – {{name}}',
};
