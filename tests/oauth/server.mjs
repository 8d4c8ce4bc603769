// A certified OAuth 2.0 / OpenID Connect server (oidc-provider) with an application behind it, for the tests in
// crates/server/tests/it/oauth. It listens on a free port of the loopback address, prints it, and ends with its standard input.
//
// Beside the server's own addresses:
//   POST /records            makes a record, with an access token; GET /records lists them all, without one
//   POST /control/expire     every access token that was given so far is refused from now on
//   POST /control/revoke     {account}: everything that this account has granted is withdrawn
//   GET  /control/counts     how many tokens were given for codes and for refresh tokens, and how often one was used twice
import { createServer } from "node:http";
import Provider from "oidc-provider";

const redirectUri = process.argv[2];
const server = createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

const counts = { authorization_code: 0, refresh_token: 0, reused: 0 };
const given = [];
const grants = new Map();
const records = [];

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "switchboard",
      client_secret: "made-up",
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code", "refresh_token"],
      token_endpoint_auth_method: "client_secret_post",
    },
  ],
  cookies: { keys: ["made-up"] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  pkce: { required: () => true },
  // Each refresh token is good once; using it twice ends the grant.
  rotateRefreshToken: true,
  ttl: { AccessToken: 3600, AuthorizationCode: 60, Grant: 86400, IdToken: 3600, Interaction: 600, RefreshToken: 86400, Session: 600 },
});

provider.on("grant.revoked", () => {
  counts.reused += 1;
});

const body = async (ctx) => {
  const parts = [];
  for await (const part of ctx.req) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString() || "{}");
};

const bearer = async (ctx) => {
  const value = ctx.get("authorization").replace(/^Bearer /, "");
  return value ? provider.AccessToken.find(value) : undefined;
};

const routes = {
  "POST /records": async (ctx) => {
    const token = await bearer(ctx);
    if (!token) {
      ctx.status = 401;
      ctx.body = { error: "invalid_token", error_description: "the token is not good" };
      return;
    }
    const record = { id: `r-${records.length + 1}`, account: token.accountId, ...(await body(ctx)) };
    records.push(record);
    ctx.status = 201;
    ctx.body = record;
  },
  "GET /records": async (ctx) => {
    ctx.body = records;
  },
  "POST /control/expire": async (ctx) => {
    for (const value of given.splice(0)) await (await provider.AccessToken.find(value))?.destroy();
    ctx.body = {};
  },
  "POST /control/revoke": async (ctx) => {
    const { account } = await body(ctx);
    for (const grantId of grants.get(account) ?? []) {
      await provider.AccessToken.revokeByGrantId(grantId);
      await provider.RefreshToken.revokeByGrantId(grantId);
      await (await provider.Grant.find(grantId))?.destroy();
    }
    ctx.body = {};
  },
  "GET /control/counts": async (ctx) => {
    ctx.body = counts;
  },
};

provider.use(async (ctx, next) => {
  const own = routes[`${ctx.method} ${ctx.path}`];
  if (own) return own(ctx);
  await next();
  const oidc = ctx.oidc;
  if (oidc?.route === "token" && ctx.status === 200) {
    counts[oidc.params.grant_type] += 1;
    given.push(ctx.body.access_token);
    const { accountId, grantId } = oidc.entities.AccessToken;
    grants.set(accountId, new Set([...(grants.get(accountId) ?? []), grantId]));
  }
});

server.on("request", provider.callback());
console.log(issuer);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
