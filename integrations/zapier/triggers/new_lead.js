'use strict';

const { hookTrigger } = require('../lib/hook');

module.exports = hookTrigger({
  key: 'new_lead',
  noun: 'Lead',
  label: 'New Lead or Message',
  description: 'Triggers when a lead, a form or a message of a customer comes in over any channel.',
  events: ['lead.received', 'message.received', 'form.submitted'],
  sample: {
    senderName: 'Ann Example',
    senderEmail: 'ann@example.com',
    senderPhone: '+12025550143',
    messageContent: 'How much is the annual plan for 20 people?',
  },
  output: [
    { key: 'senderName', label: 'Name', type: 'string' },
    { key: 'senderEmail', label: 'E-mail', type: 'string' },
    { key: 'senderPhone', label: 'Phone', type: 'string' },
    { key: 'messageContent', label: 'Message', type: 'string' },
    { key: 'category', label: 'Category', type: 'string' },
    { key: 'priority', label: 'Priority', type: 'string' },
  ],
});
