"""A suite that tests code which keeps its customers at Stripe, against Cusp."""

import http.server
import json
import pathlib
import queue
import threading

import pytest
import stripe

EXAMPLES = pathlib.Path(__file__).parent.parent


def test_the_official_client_works(sandbox):
    made = sandbox.client.v1.customers.create({"name": "Ada", "email": "ada@example.com"})
    found = sandbox.client.v1.customers.search({"query": "email:'ada@example.com'"})
    assert [customer.id for customer in found.data] == [made.id]


def test_known_customers_come_in_with_their_ids(sandbox):
    assert sandbox.load(EXAMPLES / "known.jsonl")["customers"] == 2
    ada = sandbox.client.v1.customers.retrieve("cus_ada")
    assert (ada.balance, ada.default_source) == (-500, "card_ada")


def test_ids_come_again_after_a_wipe(sandbox):
    first = sandbox.client.v1.customers.create({"name": "Ada"}).id
    sandbox.cusp("DELETE", "/cusp/v1/sandbox")
    assert sandbox.client.v1.customers.list().data == []
    assert sandbox.client.v1.customers.create({"name": "Ada"}).id == first


def test_a_state_is_kept_and_put_back(sandbox):
    ada = sandbox.client.v1.customers.create({"name": "Ada"})
    kept = sandbox.cusp("POST", "/cusp/v1/sandbox/snapshots", {"name": "with Ada"})["id"]
    sandbox.client.v1.customers.delete(ada.id)
    sandbox.cusp("POST", f"/cusp/v1/sandbox/snapshots/{kept}/restore")
    assert sandbox.client.v1.customers.retrieve(ada.id).name == "Ada"

    sandbox.cusp("POST", f"/cusp/v1/sandbox/snapshots/{kept}/fork", {"key": "sk_test_copy"})
    copy = stripe.StripeClient("sk_test_copy", base_addresses={"api": sandbox.url})
    assert copy.v1.customers.retrieve(ada.id).name == "Ada"


def test_a_lost_answer_makes_no_second_customer(sandbox):
    rule = {"fail": "disconnect_after_commit", "method": "POST", "path": "/v1/customers"}
    rule = sandbox.cusp("POST", "/cusp/v1/failures", rule)
    sandbox.client.v1.customers.create({"name": "Ada"})  # the client tries again, with the same idempotency key
    assert len(sandbox.client.v1.customers.list().data) == 1
    assert sandbox.cusp("GET", f"/cusp/v1/failures/{rule['id']}")["hits"] == 1


def test_a_declined_card(sandbox):
    ada = sandbox.client.v1.customers.create({"name": "Ada"})
    sandbox.cusp("POST", "/cusp/v1/failures", {"fail": "decline", "decline_code": "insufficient_funds"})
    with pytest.raises(stripe.CardError) as declined:
        sandbox.client.v1.payment_methods.attach("pm_card_visa", {"customer": ada.id})
    assert declined.value.json_body["error"]["decline_code"] == "insufficient_funds"


def test_a_webhook_arrives_and_is_signed(sandbox):
    came = queue.Queue()

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            came.put((self.rfile.read(int(self.headers["Content-Length"])), self.headers["Stripe-Signature"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{receiver.server_port}/webhooks"
        endpoint = sandbox.client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["customer.created"]})
        ada = sandbox.client.v1.customers.create({"name": "Ada"})
        body, signature = came.get(timeout=10)
        receiver.shutdown()
    event = sandbox.client.construct_event(body, signature, endpoint.secret)
    assert (event.type, event.data.object.id) == ("customer.created", ada.id)


def test_events_are_followed_without_a_receiver(sandbox):
    ada = sandbox.client.v1.customers.create({"name": "Ada"})
    sandbox.client.v1.customers.update(ada.id, {"name": "Ada L."})
    with sandbox.open("GET", "/cusp/v1/events?from=start&types=customer.updated") as stream:
        data = next(line for line in stream if line.startswith(b"data: "))
    event = json.loads(data.removeprefix(b"data: "))
    assert event["data"]["previous_attributes"] == {"name": "Ada"}
