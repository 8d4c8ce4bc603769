"""Puts something into a hub that the fuzz can be about, and prints the settings of the fuzz with the ids of it.

    seed.py URL KEY
"""

import json
import pathlib
import sys
import urllib.request

url, key = sys.argv[1:3]
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(method, path, body=None):
    content = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(url + path, content, headers, method=method)
    with direct.open(request) as response:
        return json.load(response)


call("POST", "/api/crm/configure", {
    "connections": [{"key": "seed", "connector": "webhook", "settings": {"url": "https://receiver.example/in"}}],
    "routes": [{"key": "seed", "on": "*", "to": ["seed"]}],
})
event = call("POST", "/v1/events", {"type": "message.received", "data": {"senderName": "Ann Example"}})["id"]
delivery = call("GET", f"/v1/deliveries?event={event}")["items"][0]["id"]
webhook = call("POST", "/v1/webhooks", {"url": "https://receiver.example/hook", "events": ["task.completed"]})["id"]

person = call("POST", "/v1/people", {"firstName": "Ann", "lastName": "Example", "email": "ann@example.com"})["id"]
call("POST", "/v1/people", {"firstName": "Bob", "lastName": "Example", "email": "bob@example.com"})
call("POST", "/v1/tables", {"key": "customers", "fields": [{"name": "name", "type": "text"}, {"name": "size", "type": "integer"}]})
row = call("POST", "/v1/tables/customers/rows", {"name": "Example Ltd", "size": 20})["id"]
call("PUT", "/v1/lists/channels", {"values": {"0": "first"}})

# What is not removed by the fuzz itself: one request of an operation would take the thing away from all others.
KNOWN = {
    "/v1/events/{id}": {"id": event},
    "/v1/events/{id}/replay": {"id": event},
    "/v1/deliveries/{id}": {"id": delivery},
    "/v1/connections/{key}/schema": {"key": "seed"},
    "/v1/connections/{key}/choices/{setting}": {"key": "seed"},
    "/api/crm/sync-status/{integrationId}": {"integrationId": "seed"},
    "/v1/webhooks/{id}/test": {"id": webhook},
    "/v1/webhooks/{id}/rotate": {"id": webhook},
    "/v1/webhooks/{id}/deliveries": {"id": webhook},
    "/v1/webhooks/{id}/replay": {"id": webhook},
    "/v1/presets/{name}": {"name": "start-up"},
    "/errors/{code}": {"code": "SWB-API-001"},
    "/v1/{object}/{id}/history": {"object": "people", "id": person},
    "/v1/{object}/{id}/merge": {"object": "people", "id": person},
    "/v1/tables/{table}/rows": {"table": "customers"},
    "/v1/tables/{table}/rows/batch": {"table": "customers"},
    "/v1/tables/{table}/rows/upsert": {"table": "customers"},
    "/v1/tables/{table}/rows/import": {"table": "customers"},
    "/v1/tables/{table}/rows/export": {"table": "customers"},
    "/v1/tables/{table}/rows/{id}/history": {"table": "customers", "id": row},
    "/v1/tables/{table}/rows/{id}/merge": {"table": "customers", "id": row},
}
# The same for operations that share their address with one that removes.
OPERATIONS = {
    ("getWebhook", "changeWebhook"): {"id": webhook},
    ("getRecord", "updateRecord"): {"object": "people", "id": person},
    ("getRow", "updateRow"): {"table": "customers", "id": row},
    ("getTable",): {"table": "customers"},
    ("getValueList",): {"list": "channels"},
}


def show(where, names, parameters):
    print(f"[[operations]]\n{where} = {json.dumps(names)}")
    print("parameters = { " + ", ".join(f"{name} = {json.dumps(value)}" for name, value in parameters.items()) + " }\n")


print(pathlib.Path(__file__).with_name("schemathesis.toml").read_text())
for path, parameters in KNOWN.items():
    show("include-path", path, parameters)
for names, parameters in OPERATIONS.items():
    show("include-operation-id", list(names), parameters)
