'use strict';

/** What is known of records in messages, by the hub's names. */
const PERSON = [
  { key: 'id', label: 'Person ID', type: 'string' },
  { key: 'firstName', label: 'First Name', type: 'string' },
  { key: 'lastName', label: 'Last Name', type: 'string' },
  { key: 'email', label: 'E-mail', type: 'string' },
  { key: 'phone', label: 'Phone', type: 'string' },
  { key: 'jobTitle', label: 'Job Title', type: 'string' },
];

const OPPORTUNITY = [
  { key: 'id', label: 'Opportunity ID', type: 'string' },
  { key: 'name', label: 'Name', type: 'string' },
  { key: 'value', label: 'Value', type: 'number' },
  { key: 'currency', label: 'Currency', type: 'string' },
  { key: 'stage', label: 'Stage', type: 'string' },
];

const TASK = [
  { key: 'id', label: 'Task ID', type: 'string' },
  { key: 'title', label: 'Title', type: 'string' },
  { key: 'status', label: 'Status', type: 'string' },
  { key: 'dueAt', label: 'Due', type: 'datetime' },
];

module.exports = { PERSON, OPPORTUNITY, TASK };
