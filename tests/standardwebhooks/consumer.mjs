// A receiver of webhooks that checks each message with the official library of npm. It prints its address, and ends with its standard input.
//
//   POST /control/secret   the secret, as text
//   GET  /control/messages what came: headers, body, and why it was refused, if it was
//   POST anything else     a message: 204 when its signature is right, else 401
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

let secret = "";
const messages = [];

async function textOf(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString("utf8");
}

/** Why the message is refused; null: it is good. */
function fault(body, headers) {
  try {
    new Webhook(secret).verify(body, headers);
    return null;
  } catch (error) {
    return String(error.message);
  }
}

function answer(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(value === undefined ? undefined : JSON.stringify(value));
}

const server = createServer(async (request, response) => {
  const body = await textOf(request);
  if (request.url === "/control/secret") {
    secret = body;
    return answer(response, 200, {});
  }
  if (request.url === "/control/messages") return answer(response, 200, messages);
  const refused = fault(body, request.headers);
  messages.push({ headers: request.headers, body, refused });
  return refused === null ? answer(response, 204) : answer(response, 401, { error: refused });
});

server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume().on("end", () => process.exit(0));
