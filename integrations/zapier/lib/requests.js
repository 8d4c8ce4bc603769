'use strict';

/** Paths are paths of the user's own hub. */
const toHub = (request, z, bundle) => {
  if (request.url.startsWith('/')) {
    request.url = `${bundle.authData.base_url.trim().replace(/\/+$/, '')}${request.url}`;
  }
  return request;
};

const withKey = (request, z, bundle) => {
  request.headers.Authorization = `Bearer ${bundle.authData.api_key}`;
  request.headers.Accept = 'application/json';
  return request;
};

/**
 * The hub's problems (RFC 9457) say what is wrong and what to do next; that is what the user reads. 401 and 429 never get here: the platform
 * renews or waits by itself.
 */
const explainProblem = (response, z) => {
  if (response.status < 400 || response.skipThrowForStatus) {
    return response;
  }
  let problem = {};
  try {
    problem = JSON.parse(response.content) || {};
  } catch {
    // Something else than the hub has answered, a proxy perhaps.
  }
  const place = problem.place ? ` (${problem.place})` : '';
  const words = problem.detail ? `${problem.detail}${place}. ${problem.next}` : `The hub answers with status ${response.status}.`;
  throw new z.errors.Error(words, problem.code || 'UnexpectedAnswer', response.status);
};

/** The rows of a list of the hub. */
const rows = (response) => (Array.isArray(response.data) ? response.data : response.data.items);

/** What the user has filled in: empty fields are no values. */
const filledIn = (input, names) => {
  const given = names.filter((name) => input[name] !== undefined && input[name] !== null && input[name] !== '');
  return Object.fromEntries(given.map((name) => [name, input[name]]));
};

module.exports = { toHub, withKey, explainProblem, rows, filledIn };
