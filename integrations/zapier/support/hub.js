'use strict';

const { createServer } = require('node:http');

const zapier = require('zapier-platform-core');
const App = require('../index');

const { SWITCHBOARD_URL: base_url, SWITCHBOARD_KEY: api_key } = process.env;
if (!base_url || !api_key) {
  throw new Error('SWITCHBOARD_URL and SWITCHBOARD_KEY name a running hub that may call private addresses, and its API key.');
}

const appTester = zapier.createAppTester(App);

/** Does a part of the app as the platform would. */
const run = (part, bundle = {}) => appTester(part, { authData: { base_url, api_key }, inputData: {}, ...bundle });

/** A call of the hub beside the app. */
const call = async (method, path, body) => {
  const response = await fetch(`${base_url}${path}`, {
    method,
    headers: { authorization: `Bearer ${api_key}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : null };
};

/** The platform's side of a hook: an address that keeps what comes, in the form in which the platform hands it on. */
const hook = async () => {
  const waiting = [];
  const came = [];
  const state = { status: 200 };
  const server = createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const content = Buffer.concat(pieces).toString('utf8');
    const names = Object.entries(request.headers).map(([name, value]) => [`Http-${name}`, value]);
    const message = {
      cleanedRequest: { ...JSON.parse(content), querystring: {} },
      rawRequest: { method: request.method, headers: Object.fromEntries(names), content, querystring: '' },
    };
    response.writeHead(state.status).end();
    const next = waiting.shift();
    if (next) next(message);
    else came.push(message);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    targetUrl: `http://127.0.0.1:${server.address().port}/hooks/standard/1/abc/`,
    /** The next message. */
    next: () => (came.length ? came.shift() : new Promise((resolve) => waiting.push(resolve))),
    /** The address answers so from now on. */
    answerWith: (status) => {
      state.status = status;
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
};

module.exports = { App, run, call, hook };
