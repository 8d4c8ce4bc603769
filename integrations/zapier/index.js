'use strict';

const authentication = require('./lib/authentication');
const { toHub, withKey, explainProblem } = require('./lib/requests');

const byKey = (parts) => Object.fromEntries(parts.map((part) => [part.key, part]));

module.exports = {
  version: require('./package.json').version,
  platformVersion: require('zapier-platform-core').version,
  flags: { cleanInputData: true },
  authentication,
  beforeRequest: [toHub, withKey],
  afterResponse: [explainProblem],
  triggers: byKey([
    require('./triggers/new_lead'),
    require('./triggers/new_person'),
    require('./triggers/opportunity_stage_changed'),
    require('./triggers/opportunity_won'),
    require('./triggers/task_completed'),
    require('./triggers/row_created'),
    require('./triggers/any_event'),
    require('./triggers/event_types'),
    require('./triggers/tables'),
  ]),
  searches: byKey([require('./searches/find_person')]),
  creates: byKey([
    require('./creates/create_person'),
    require('./creates/create_task'),
    require('./creates/create_opportunity'),
    require('./creates/send_event'),
  ]),
  searchOrCreates: byKey([
    {
      key: 'find_person',
      display: {
        label: 'Find or Create Person',
        description: 'Finds a person by e-mail address, or creates one when there is none.',
      },
      search: 'find_person',
      create: 'create_person',
    },
  ]),
};
