"""A receiver of webhooks that checks each message with the official library of PyPI. It prints its address, and ends with its standard input.

POST /control/secret    the secret, as text
GET  /control/messages  what came: headers, body, and why it was refused, if it was
POST anything else      a message: 204 when its signature is right, else 401
"""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook

secret = ""
messages = []


def fault(body, headers):
    """Why the message is refused; None: it is good."""
    try:
        Webhook(secret).verify(body, headers)
        return None
    except Exception as error:  # whatever the library finds wrong
        return f"{type(error).__name__}: {error}"


class Consumer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200, messages)

    def do_POST(self):
        global secret
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        if self.path == "/control/secret":
            secret = body
            return self.answer(200, {})
        headers = {name.lower(): value for name, value in self.headers.items()}
        refused = fault(body, headers)
        messages.append({"headers": headers, "body": body, "refused": refused})
        return self.answer(204) if refused is None else self.answer(401, {"error": refused})

    def answer(self, status, value=None):
        content = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def end_with_input():
    sys.stdin.read()
    os._exit(0)


server = ThreadingHTTPServer(("127.0.0.1", 0), Consumer)
threading.Thread(target=end_with_input, daemon=True).start()
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
