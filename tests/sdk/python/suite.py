"""The official Python SDK, unmodified, against a running cusp: it is told the server's address and nothing else.

What it needs comes in through the environment (tests/it/sdk.rs sets it):
    CUSP_URL             a `cusp dev`
    CUSP_LIMITED_URL     a `cusp dev` that allows one request per second
    CUSP_SERVE_URL       a `cusp serve`
    CUSP_SECRET_KEY      a secret key of it
    CUSP_READ_ONLY_KEY   a restricted key of it that may read customers
    CUSP_PUBLISHABLE_KEY a publishable key of it
    CUSP_LINKED_ACCOUNT  an account linked to it
"""

import http.server
import json
import os
import queue
import sys
import threading
import time
import traceback
import urllib.request
import uuid

import stripe

URL = os.environ["CUSP_URL"]
LIMITED_URL = os.environ["CUSP_LIMITED_URL"]
SERVE_URL = os.environ["CUSP_SERVE_URL"]

CHECKS = []


def check(function):
    """Registers a check. Each one gets a client whose sandbox nobody else uses."""
    CHECKS.append(function)
    return function


def client(key=None, url=URL, **options):
    key = key or f"sk_test_python{uuid.uuid4().hex}"
    return stripe.StripeClient(key, base_addresses={"api": url}, **options)


def expect(error_class, call):
    """The error that the call raises, which has to be of that very class."""
    try:
        call()
    except stripe.StripeError as error:
        assert type(error) is error_class, f"expected {error_class.__name__}, caught {error!r}"
        return error
    raise AssertionError(f"expected {error_class.__name__}, nothing was raised")


def equal(actual, expected):
    assert actual == expected, f"expected {expected!r}, got {actual!r}"


def plain(value):
    """A part of a reply as plain dictionaries and lists."""
    if isinstance(value, stripe.StripeObject):
        return value.to_dict()
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value


ADDRESS = {
    "city": "Berlin",
    "country": "DE",
    "line1": "Torstraße 1",
    "line2": "Hof",
    "postal_code": "10119",
    "state": "BE",
}
SHIPPING = {"name": "Jenny Rosen", "phone": "+49301234567", "address": ADDRESS}

# parameter, what is sent, what the customer then shows
SETTABLE = [
    ("address", ADDRESS, ADDRESS),
    ("balance", -1250, -1250),
    ("business_name", "Rosen & Söhne", "Rosen & Söhne"),
    ("description", "a customer, said in ✓ text", "a customer, said in ✓ text"),
    ("email", "jenny+rosen@example.com", "jenny+rosen@example.com"),
    ("individual_name", "Jenny Rosen", "Jenny Rosen"),
    ("metadata", {"order": "6735", "tier": "gold"}, {"order": "6735", "tier": "gold"}),
    ("name", "Jenny Rosen", "Jenny Rosen"),
    ("next_invoice_sequence", 42, 42),
    ("phone", "+14155550123", "+14155550123"),
    ("preferred_locales", ["de-DE", "en"], ["de-DE", "en"]),
    ("shipping", SHIPPING, SHIPPING),
    ("tax_exempt", "reverse", "reverse"),
]

# parameter, what the customer shows once it is cleared
CLEARABLE = [
    ("address", None),
    ("business_name", None),
    ("description", None),
    ("email", None),
    ("individual_name", None),
    ("metadata", {}),
    ("name", None),
    ("phone", None),
    ("shipping", None),
    ("tax_exempt", "none"),
]


@check
def a_customer_is_created_with_every_parameter():
    sdk = client()
    made = sdk.v1.customers.create({name: sent for name, sent, _ in SETTABLE})
    assert isinstance(made, stripe.Customer)
    assert made.id.startswith("cus_")
    equal(made.object, "customer")
    equal(made.livemode, False)
    equal(made.currency, "usd")
    assert abs(made.created - time.time()) < 300
    for name, _, shown in SETTABLE:
        equal((name, plain(made[name])), (name, shown))
    equal(plain(sdk.v1.customers.retrieve(made.id)), plain(made))


@check
def every_parameter_is_updated_by_itself():
    sdk = client()
    customer = sdk.v1.customers.create()
    for name, sent, shown in SETTABLE:
        updated = sdk.v1.customers.update(customer.id, {name: sent})
        equal((name, plain(updated[name])), (name, shown))
    again = sdk.v1.customers.retrieve(customer.id)
    for name, _, shown in SETTABLE:
        equal((name, plain(again[name])), (name, shown))


@check
def every_parameter_is_updated_in_one_request():
    sdk = client()
    customer = sdk.v1.customers.create()
    updated = sdk.v1.customers.update(customer.id, {name: sent for name, sent, _ in SETTABLE})
    for name, _, shown in SETTABLE:
        equal((name, plain(updated[name])), (name, shown))


@check
def invoice_settings_are_updated_part_by_part():
    sdk = client()
    customer = sdk.v1.customers.create()
    fields = [{"name": "PO", "value": "4711"}, {"name": "VAT", "value": "DE123"}]
    parts = [
        ("custom_fields", fields, fields),
        ("footer", "Thank you", "Thank you"),
        (
            "rendering_options",
            {"amount_tax_display": "include_inclusive_tax"},
            {"amount_tax_display": "include_inclusive_tax", "template": None},
        ),
    ]
    for name, sent, _ in parts:
        sdk.v1.customers.update(customer.id, {"invoice_settings": {name: sent}})
    settings = sdk.v1.customers.retrieve(customer.id).invoice_settings
    for name, _, shown in parts:
        equal((name, plain(settings[name])), (name, shown))
    for name, _, _ in parts:
        cleared = sdk.v1.customers.update(customer.id, {"invoice_settings": {name: ""}})
        assert not cleared.invoice_settings[name], f"{name} is cleared: {cleared.invoice_settings}"
    prefixed = sdk.v1.customers.update(customer.id, {"invoice_prefix": "CUSP2026"})
    equal(prefixed.invoice_prefix, "CUSP2026")


@check
def what_is_not_mentioned_stays():
    sdk = client()
    customer = sdk.v1.customers.create({name: sent for name, sent, _ in SETTABLE})
    updated = sdk.v1.customers.update(customer.id, {"description": "only this"})
    for name, _, shown in SETTABLE:
        if name != "description":
            equal((name, plain(updated[name])), (name, shown))


@check
def every_parameter_that_can_be_is_cleared():
    sdk = client()
    customer = sdk.v1.customers.create({name: sent for name, sent, _ in SETTABLE})
    for name, shown in CLEARABLE:
        cleared = sdk.v1.customers.update(customer.id, {name: ""})
        equal((name, plain(cleared.to_dict().get(name))), (name, shown))
    for name in ("balance", "next_invoice_sequence", "invoice_prefix"):
        error = expect(stripe.InvalidRequestError, lambda: sdk.v1.customers.update(customer.id, {name: ""}))
        equal((error.code, error.param), ("parameter_invalid_empty", name))


@check
def metadata_is_merged_by_key():
    sdk = client()
    customer = sdk.v1.customers.create({"metadata": {"a": "1", "b": "2"}})
    updated = sdk.v1.customers.update(customer.id, {"metadata": {"a": "", "c": "3"}})
    equal(plain(updated.metadata), {"b": "2", "c": "3"})


@check
def an_address_is_replaced_as_a_whole():
    sdk = client()
    customer = sdk.v1.customers.create({"address": ADDRESS})
    updated = sdk.v1.customers.update(customer.id, {"address": {"city": "Köln"}})
    equal(plain(updated.address), {**dict.fromkeys(ADDRESS), "city": "Köln"})


@check
def tax_and_cash_balance_are_set_and_expanded():
    sdk = client()
    customer = sdk.v1.customers.create({"address": ADDRESS, "tax": {"ip_address": "203.0.113.7"}})
    updated = sdk.v1.customers.update(
        customer.id,
        {
            "tax": {"ip_address": "2001:db8::7", "validate_location": "immediately"},
            "cash_balance": {"settings": {"reconciliation_mode": "manual"}},
            "expand": ["tax", "cash_balance"],
        },
    )
    equal(updated.tax.ip_address, "2001:db8::7")
    equal(updated.cash_balance.settings.reconciliation_mode, "manual")
    equal(updated.cash_balance.settings.using_merchant_default, False)
    bare = sdk.v1.customers.retrieve(customer.id)
    assert "tax" not in bare and "cash_balance" not in bare, "both appear only when they are asked for"
    cleared = sdk.v1.customers.update(customer.id, {"tax": {"ip_address": ""}, "expand": ["tax"]})
    equal(cleared.tax.ip_address, None)


@check
def a_location_that_is_required_and_unknown_refuses_the_update():
    sdk = client()
    customer = sdk.v1.customers.create({"name": "Before"})
    params = {"name": "After", "tax": {"validate_location": "immediately"}}
    error = expect(stripe.InvalidRequestError, lambda: sdk.v1.customers.update(customer.id, params))
    equal(error.code, "customer_tax_location_invalid")
    equal(sdk.v1.customers.retrieve(customer.id).name, "Before")


@check
def lists_are_expanded():
    sdk = client()
    customer = sdk.v1.customers.create({"expand": ["sources", "subscriptions", "tax_ids", "invoice_credit_balance"]})
    for name in ("sources", "subscriptions", "tax_ids"):
        equal((customer[name].object, customer[name].data, customer[name].has_more), ("list", [], False))
    equal(plain(customer.invoice_credit_balance), {})
    listed = sdk.v1.customers.list({"expand": ["data.tax"]})
    assert listed.data[0].tax is not None
    error = expect(stripe.InvalidRequestError, lambda: sdk.v1.customers.retrieve(customer.id, {"expand": ["email"]}))
    equal(error.user_message, "This property cannot be expanded (email).")


@check
def pages_follow_each_other_both_ways():
    sdk = client()
    made = [sdk.v1.customers.create({"name": f"number {number}"}).id for number in range(25)]
    newest_first = list(reversed(made))
    first = sdk.v1.customers.list({"limit": 10})
    equal((first.has_more, first.url, len(first.data)), (True, "/v1/customers", 10))
    equal([customer.id for customer in first.auto_paging_iter()], newest_first)
    backwards = sdk.v1.customers.list({"limit": 10, "ending_before": made[0]})
    equal([customer.id for customer in backwards.auto_paging_iter()], made[1:])
    second = first.next_page()
    equal([customer.id for customer in second.data], newest_first[10:20])
    oldest = sdk.v1.customers.list({"limit": 10, "ending_before": made[0]})
    equal([customer.id for customer in oldest.data], list(reversed(made[1:11])))
    equal([customer.id for customer in oldest.previous_page().data], list(reversed(made[11:21])))


@check
def lists_are_filtered():
    sdk = client()
    jenny = sdk.v1.customers.create({"email": "jenny@example.com"})
    sdk.v1.customers.create({"email": "other@example.com"})
    equal([found.id for found in sdk.v1.customers.list({"email": "jenny@example.com"})], [jenny.id])
    equal(len(sdk.v1.customers.list({"created": {"gte": jenny.created - 10, "lt": jenny.created + 100}}).data), 2)
    equal(sdk.v1.customers.list({"created": {"gt": jenny.created + 1000}}).data, [])


@check
def a_search_finds_what_was_just_written():
    sdk = client()
    made = []
    for number in range(15):
        params = {"email": f"person{number}@example.com", "name": f"Person {number}", "metadata": {"team": "blue"}}
        made.append(sdk.v1.customers.create(params).id)
    other = sdk.v1.customers.create({"name": "Somebody Else", "phone": "+14155550123"})

    def found(query, **more):
        return [customer.id for customer in sdk.v1.customers.search({"query": query, **more}).auto_paging_iter()]

    equal(found("email:'person7@example.com'"), [made[7]])
    equal(found("email:'PERSON7@example.com'"), [made[7]])
    equal(sorted(found("name~'person'")), sorted(made))
    equal(sorted(found("metadata['team']:'blue'", limit=4)), sorted(made))
    equal(found("-metadata['team']:null AND name:'Person 3'"), [made[3]])
    equal(sorted(found("name:'Somebody Else' OR email:'person1@example.com'")), sorted([other.id, made[1]]))
    equal(found("phone:'+14155550123'"), [other.id])
    equal(found(f"created>{other.created + 1000}"), [])
    sdk.v1.customers.update(made[7], {"email": "moved@example.com"})
    equal(found("email:'person7@example.com'"), [])
    result = sdk.v1.customers.search({"query": "name~'person'", "limit": 4})
    assert isinstance(result, stripe.SearchResultObject)
    equal((result.has_more, result.url), (True, "/v1/customers/search"))
    error = expect(stripe.InvalidRequestError, lambda: sdk.v1.customers.search({"query": "foo:'bar'"}))
    equal(error.user_message, "Field `foo` is an unsupported search field for resource `customers`.")


@check
def balance_transactions_keep_the_books():
    sdk = client()
    customer = sdk.v1.customers.create({"balance": -500})
    ledger = sdk.v1.customers.balance_transactions
    made = ledger.create(customer.id, {"amount": 200, "currency": "usd", "description": "a charge"})
    equal((made.object, made.amount, made.ending_balance), ("customer_balance_transaction", 200, -300))
    equal((made.type, made.customer, made.currency), ("adjustment", customer.id, "usd"))
    equal(sdk.v1.customers.retrieve(customer.id).balance, -300)
    sdk.v1.customers.update(customer.id, {"balance": 0})
    lines = list(ledger.list(customer.id, {"limit": 2}).auto_paging_iter())
    equal([(line.amount, line.ending_balance) for line in lines], [(300, 0), (200, -300), (-500, -500)])
    equal([line.type for line in lines], ["adjustment", "adjustment", "initial"])
    changed = ledger.update(customer.id, made.id, {"description": "refined", "metadata": {"k": "v"}})
    equal((changed.description, plain(changed.metadata)), ("refined", {"k": "v"}))
    equal(ledger.retrieve(customer.id, made.id).description, "refined")
    wrong = {"amount": 1, "currency": "eur"}
    expect(stripe.InvalidRequestError, lambda: ledger.create(customer.id, wrong))


@check
def a_cash_balance_has_settings():
    sdk = client()
    customer = sdk.v1.customers.create()
    cash = sdk.v1.customers.cash_balance
    shown = cash.retrieve(customer.id)
    equal((shown.object, shown.customer, shown.livemode), ("cash_balance", customer.id, False))
    equal(shown.settings.using_merchant_default, True)
    changed = cash.update(customer.id, {"settings": {"reconciliation_mode": "manual"}})
    equal((changed.settings.reconciliation_mode, changed.settings.using_merchant_default), ("manual", False))
    back = cash.update(customer.id, {"settings": {"reconciliation_mode": "merchant_default"}})
    equal((back.settings.reconciliation_mode, back.settings.using_merchant_default), ("automatic", True))


@check
def events_tell_what_happened():
    sdk = client()
    customer = sdk.v1.customers.create({"name": "Before"}, {"idempotency_key": "made-once"})
    sdk.v1.customers.update(customer.id, {"name": "After", "metadata": {"a": "1"}})
    sdk.v1.customers.update(customer.id, {"name": "After"})
    sdk.v1.customers.delete(customer.id)
    events = list(sdk.v1.events.list({"limit": 1}).auto_paging_iter())
    equal([event.type for event in events], ["customer.deleted", "customer.updated", "customer.created"])
    deleted, updated, created = events
    assert isinstance(updated, stripe.Event)
    equal(plain(updated.data.previous_attributes), {"metadata": {"a": None}, "name": "Before"})
    equal((updated.data.object.name, deleted.data.object.name), ("After", "After"))
    equal(created.request.idempotency_key, "made-once")
    assert updated.request.id.startswith("req_")
    equal(plain(sdk.v1.events.retrieve(updated.id)), plain(updated))
    equal([event.id for event in sdk.v1.events.list({"type": "customer.updated"})], [updated.id])
    kinds = {"types": ["customer.created", "customer.deleted"]}
    equal([event.id for event in sdk.v1.events.list(kinds)], [deleted.id, created.id])
    error = expect(stripe.InvalidRequestError, lambda: sdk.v1.events.retrieve("evt_none"))
    equal((error.http_status, error.code), (404, "resource_missing"))


@check
def a_deleted_customer_is_gone():
    sdk = client()
    customer = sdk.v1.customers.create({"name": "Short Lived"})
    deleted = sdk.v1.customers.delete(customer.id)
    equal((deleted.id, deleted.object, deleted.deleted), (customer.id, "customer", True))
    equal(sdk.v1.customers.retrieve(customer.id).deleted, True)
    equal(sdk.v1.customers.list().data, [])
    equal(sdk.v1.customers.search({"query": "name:'Short Lived'"}).data, [])
    error = expect(stripe.InvalidRequestError, lambda: sdk.v1.customers.update(customer.id, {"name": "x"}))
    equal((error.code, error.param), ("resource_missing", "id"))
    expect(stripe.InvalidRequestError, lambda: sdk.v1.customers.delete(customer.id))


@check
def coupons_come_and_go():
    sdk = client()
    made = sdk.v1.coupons.create({"percent_off": 25.5, "duration": "repeating", "duration_in_months": 3})
    assert isinstance(made, stripe.Coupon)
    equal((made.object, made.percent_off, made.duration_in_months), ("coupon", 25.5, 3))
    equal((made.valid, made.times_redeemed, made.amount_off, made.name), (True, 0, None, None))
    assert len(made.id) == 8 and made.id.isalnum(), made.id
    chosen = sdk.v1.coupons.create({"id": "5EUR", "amount_off": 500, "currency": "eur", "metadata": {"a": "1"}})
    equal((chosen.id, chosen.amount_off, chosen.currency, chosen.duration), ("5EUR", 500, "eur", "once"))
    error = expect(stripe.InvalidRequestError, lambda: sdk.v1.coupons.create({"id": "5EUR", "percent_off": 1}))
    equal((error.http_status, error.code), (400, "resource_already_exists"))
    changed = sdk.v1.coupons.update("5EUR", {"name": "Five off", "metadata": {"a": ""}})
    equal((changed.name, plain(changed.metadata)), ("Five off", {}))
    equal(sdk.v1.coupons.retrieve("5EUR").name, "Five off")
    equal([coupon.id for coupon in sdk.v1.coupons.list({"limit": 1}).auto_paging_iter()], ["5EUR", made.id])
    equal(sdk.v1.coupons.delete("5EUR").deleted, True)
    error = expect(stripe.InvalidRequestError, lambda: sdk.v1.coupons.retrieve("5EUR"))
    equal((error.http_status, error.code), (404, "resource_missing"))
    kinds = [event.type for event in sdk.v1.events.list({"type": "coupon.*"})]
    equal(kinds, ["coupon.deleted", "coupon.updated", "coupon.created", "coupon.created"])


@check
def money_arrives_in_a_cash_balance():
    sdk = client()
    customer = sdk.v1.customers.create({"name": "Jenny"})
    fund = sdk.v1.test_helpers.customers.fund_cash_balance
    first = fund(customer.id, {"amount": 500, "currency": "eur", "reference": "R 1"})
    fund(customer.id, {"amount": 700, "currency": "eur"})
    equal((first.type, first.net_amount, first.ending_balance), ("funded", 500, 500))
    equal(first.funded.bank_transfer.reference, "R 1")
    balance = sdk.v1.customers.cash_balance.retrieve(customer.id)
    equal(balance.available["eur"], 1200)
    listed = list(sdk.v1.customers.cash_balance_transactions.list(customer.id, {"limit": 1}).auto_paging_iter())
    equal([entry.ending_balance for entry in listed], [1200, 500])
    read = sdk.v1.customers.cash_balance_transactions.retrieve(customer.id, first.id, {"expand": ["customer"]})
    equal(read.customer.name, "Jenny")
    wanted = {"funding_type": "bank_transfer", "currency": "gbp", "bank_transfer": {"type": "gb_bank_transfer"}}
    instructions = sdk.v1.customers.funding_instructions.create(customer.id, wanted)
    equal(instructions.bank_transfer.financial_addresses[0].sort_code.sort_code, "000000")
    expect(stripe.InvalidRequestError, lambda: sdk.v1.customers.delete(customer.id))


@check
def promotion_codes_stand_for_a_coupon():
    sdk = client()
    coupon = sdk.v1.coupons.create({"percent_off": 25})
    customer = sdk.v1.customers.create({"name": "Jenny"})
    of_coupon = {"type": "coupon", "coupon": coupon.id}
    codes = sdk.v1.promotion_codes
    made = codes.create({"promotion": of_coupon, "code": "FALL20", "customer": customer.id, "max_redemptions": 5})
    assert isinstance(made, stripe.PromotionCode)
    equal((made.code, made.active, made.customer), ("FALL20", True, customer.id))
    equal((made.promotion.type, made.promotion.coupon), ("coupon", coupon.id))
    full = codes.retrieve(made.id, {"expand": ["promotion.coupon", "customer"]})
    equal((full.promotion.coupon.percent_off, full.customer.name), (25.0, "Jenny"))
    old = codes.retrieve(made.id, {}, {"stripe_version": "2024-06-20"})
    equal((old["coupon"]["id"], "promotion" in old), (coupon.id, False))
    error = expect(stripe.InvalidRequestError, lambda: codes.create({"promotion": of_coupon, "code": "fall20"}))
    equal((error.http_status, error.param), (400, "code"))
    equal([found.id for found in codes.list({"code": "fall20", "active": True})], [made.id])
    equal(codes.update(made.id, {"active": False}).active, False)
    equal(codes.list({"active": True}).data, [])
    drawn = [codes.create({"promotion": of_coupon}) for _ in range(3)]
    assert all(len(code.code) == 8 for code in drawn), drawn
    ids = [code.id for code in codes.list({"coupon": coupon.id, "limit": 2}).auto_paging_iter()]
    equal(ids, [code.id for code in reversed([made, *drawn])])
    sdk.v1.coupons.delete(coupon.id)
    equal([code.active for code in codes.list({"coupon": coupon.id})], [False] * 4)
    updated = sdk.v1.events.list({"type": "promotion_code.updated"}).data
    equal([plain(event.data.previous_attributes) for event in updated], [{"active": True}])


@check
def a_customer_redeems_a_promotion_code():
    sdk = client()
    older = {"stripe_version": "2024-06-20"}
    coupon = sdk.v1.coupons.create({"percent_off": 25})
    of_coupon = {"type": "coupon", "coupon": coupon.id}
    code = sdk.v1.promotion_codes.create({"promotion": of_coupon, "code": "FALL20", "max_redemptions": 1})
    made = sdk.v1.customers.create({"promotion_code": code.id}, older)
    equal((made.discount["coupon"]["id"], made.discount.promotion_code), (coupon.id, code.id))
    customer = sdk.v1.customers.retrieve(made.id, {"expand": ["discount.source.coupon", "discount.promotion_code"]})
    equal((customer.discount.source.coupon.times_redeemed, customer.discount.promotion_code.active), (1, False))
    spent = lambda: sdk.v1.customers.create({"promotion_code": code.id}, older)
    error = expect(stripe.InvalidRequestError, spent)
    equal((error.http_status, error.code, error.param), (400, "coupon_expired", "promotion_code"))
    equal(sdk.v1.customers.update(made.id, {"coupon": ""}, older).discount, None)
    given = sdk.v1.customers.update(made.id, {"coupon": coupon.id}, older)
    gone = sdk.v1.customers.delete_discount(made.id)
    equal((gone.id, gone.deleted, gone.source.coupon), (given.discount.id, True, coupon.id))
    error = expect(stripe.InvalidRequestError, lambda: sdk.v1.customers.delete_discount(made.id))
    equal((error.http_status, error.code), (404, "resource_missing"))
    kinds = [event.type.rsplit(".")[-1] for event in sdk.v1.events.list({"type": "customer.discount.*"})]
    equal(kinds, ["deleted", "created", "deleted", "created"])


@check
def tax_ids_belong_to_a_customer():
    sdk = client()
    data = [{"type": "eu_vat", "value": "DE123456789"}]
    customer = sdk.v1.customers.create({"tax_id_data": data, "expand": ["tax_ids"]})
    first = customer.tax_ids.data[0]
    assert isinstance(first, stripe.TaxId)
    equal((first.type, first.value, first.country), ("eu_vat", "DE123456789", "DE"))
    equal((first.customer, first.verification.status), (customer.id, "unavailable"))
    under = sdk.v1.customers.tax_ids
    made = under.create(customer.id, {"type": "au_abn", "value": "000000000"})
    equal(made.verification.status, "pending")
    equal(under.retrieve(customer.id, made.id).verification.status, "verified")
    updated = sdk.v1.events.list({"type": "customer.tax_id.updated"}).data
    equal([plain(event.data.previous_attributes) for event in updated], [{"verification": {"status": "pending"}}])
    owner = {"type": "customer", "customer": customer.id}
    other = sdk.v1.tax_ids.create({"owner": owner, "type": "us_ein", "value": "12-3456789", "expand": ["owner.customer"]})
    equal((other.owner.type, other.owner.customer.id), ("customer", customer.id))
    pages = sdk.v1.tax_ids.list({"owner": owner, "limit": 1}).auto_paging_iter()
    equal([tax_id.id for tax_id in pages], [other.id, made.id, first.id])
    equal(sdk.v1.tax_ids.list().data, [])
    bad = {"type": "eu_vat", "value": "nothing"}
    error = expect(stripe.InvalidRequestError, lambda: under.create(customer.id, bad))
    equal((error.code, error.param, error.user_message), ("tax_id_invalid", "value", "Invalid value for eu_vat."))
    equal(plain(under.delete(customer.id, made.id)), {"id": made.id, "object": "tax_id", "deleted": True})
    equal(sdk.v1.tax_ids.delete(other.id).deleted, True)
    equal([tax_id.id for tax_id in under.list(customer.id).data], [first.id])
    sdk.v1.customers.delete(customer.id)
    error = expect(stripe.InvalidRequestError, lambda: sdk.v1.tax_ids.retrieve(first.id))
    equal((error.http_status, error.code), (404, "resource_missing"))


CARD = {"number": "4242424242424242", "exp_month": 8, "exp_year": 2030, "cvc": "314"}
AMOUNTS = [32, 45]


@check
def tokens_stand_for_a_card_or_an_account_once():
    sdk = client()
    token = sdk.v1.tokens.create({"card": {**CARD, "name": "Jenny Rosen"}})
    assert isinstance(token, stripe.Token)
    equal((token.type, token.used, token.livemode), ("card", False, False))
    equal((token.card.brand, token.card.last4, token.card.exp_year, token.card.name), ("Visa", "4242", 2030, "Jenny Rosen"))
    assert "number" not in token.card and "cvc" not in token.card
    account = {"country": "US", "currency": "usd", "routing_number": "110000000", "account_number": "000123456789"}
    bank = sdk.v1.tokens.create({"bank_account": account})
    equal((bank.type, bank.bank_account.last4, bank.bank_account.status), ("bank_account", "6789", "new"))
    customer = sdk.v1.customers.create({"source": token.id})
    equal((customer.default_source, sdk.v1.tokens.retrieve(token.id).used), (token.card.id, True))
    again = lambda: sdk.v1.customers.update(customer.id, {"source": token.id})
    error = expect(stripe.InvalidRequestError, again)
    equal((error.http_status, error.code, error.param), (400, "token_already_used", "source"))
    error = expect(stripe.InvalidRequestError, lambda: sdk.v1.tokens.retrieve("tok_none"))
    equal((error.http_status, error.code), (404, "resource_missing"))


@check
def sources_come_change_and_go():
    sdk = client()
    customer = sdk.v1.customers.create({"name": "Jenny"})
    sources = sdk.v1.customers.payment_sources
    card = sources.create(customer.id, {"source": "tok_visa", "metadata": {"a": "1"}})
    assert isinstance(card, stripe.Card)
    equal((card.customer, card.brand, plain(card.metadata)), (customer.id, "Visa", {"a": "1"}))
    bank = sources.create(customer.id, {"source": "btok_us"})
    assert isinstance(bank, stripe.BankAccount)
    others = [sources.create(customer.id, {"source": name}).id for name in ("tok_mastercard", "tok_amex")]
    listed = list(sources.list(customer.id, {"limit": 1}).auto_paging_iter())
    equal([source.id for source in listed], [others[1], others[0], bank.id, card.id])
    equal([found.id for found in sources.list(customer.id, {"object": "bank_account"})], [bank.id])
    equal(sources.retrieve(customer.id, card.id).last4, "4242")
    changed = sources.update(customer.id, card.id, {"name": "Jenny Rosen", "exp_month": 11})
    equal((changed.name, changed.exp_month, changed.exp_year), ("Jenny Rosen", 11, card.exp_year))
    wrong = lambda: sources.verify(customer.id, bank.id, {"amounts": [1, 2]})
    equal(expect(stripe.InvalidRequestError, wrong).code, "bank_account_verification_failed")
    equal(sources.verify(customer.id, bank.id, {"amounts": AMOUNTS}).status, "verified")
    equal(sdk.v1.customers.update(customer.id, {"default_source": others[0]}).default_source, others[0])
    gone = sources.delete(customer.id, others[0])
    equal((gone.id, gone.deleted), (others[0], True))
    expanded = sdk.v1.customers.retrieve(customer.id, {"expand": ["default_source", "sources"]})
    equal((expanded.default_source.id, len(expanded.sources.data)), (others[1], 3))
    error = expect(stripe.InvalidRequestError, lambda: sources.retrieve(customer.id, others[0]))
    equal((error.http_status, error.code), (404, "resource_missing"))


@check
def a_source_replaces_the_default_one():
    sdk = client()
    customer = sdk.v1.customers.create({"source": "tok_visa"})
    first = customer.default_source
    other = sdk.v1.customers.payment_sources.create(customer.id, {"source": "btok_us"})
    stripe.api_key, stripe.api_base = sdk._requestor.api_key, URL
    changed = stripe.Customer.modify(customer.id, source="tok_mastercard", expand=["default_source"])
    equal((changed.default_source.brand, changed.default_source.customer), ("MasterCard", customer.id))
    ids = [source.id for source in stripe.Customer.list_sources(customer.id)]
    equal(ids, [changed.default_source.id, other.id])
    token = stripe.Token.create(card=CARD)
    equal(stripe.Customer.modify(customer.id, source=token).default_source, token.card.id)
    kinds = [event.type for event in stripe.Event.list(types=["customer.source.created", "customer.source.deleted"])]
    equal((kinds.count("customer.source.created"), kinds.count("customer.source.deleted")), (4, 2))
    assert first not in [source.id for source in stripe.Customer.list_sources(customer.id)]


@check
def the_global_client_keeps_sources_too():
    stripe.api_key, stripe.api_base = f"sk_test_python{uuid.uuid4().hex}", URL
    customer = stripe.Customer.create(source="tok_visa", expand=["sources"])
    card = customer.sources.data[0]
    equal(customer.sources.retrieve(card.id).id, card.id)
    equal(stripe.Customer.retrieve_source(customer.id, card.id).fingerprint, card.fingerprint)
    equal(stripe.Customer.modify_source(customer.id, card.id, name="Jenny").name, "Jenny")
    bank = stripe.Customer.create_source(customer.id, source="btok_us")
    equal(bank.verify(amounts=AMOUNTS).status, "verified")
    equal([source.object for source in stripe.Customer.list_sources(customer.id)], ["bank_account", "card"])
    equal(stripe.Customer.delete_source(customer.id, card.id).deleted, True)
    equal(stripe.Customer.retrieve(customer.id).default_source, bank.id)


# name of a test card, code, decline code
DECLINES = [
    ("visa_chargeDeclined", "card_declined", "generic_decline"),
    ("visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
    ("visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
    ("chargeDeclinedExpiredCard", "expired_card", None),
    ("chargeDeclinedProcessingError", "processing_error", None),
]


@check
def a_declined_card_raises_card_error():
    sdk = client()
    customer = sdk.v1.customers.create({"name": "Before", "source": "tok_visa"})
    for name, code, decline_code in DECLINES:
        source, method = f"tok_{name}", f"pm_card_{name}"
        for call in (
            lambda: sdk.v1.customers.update(customer.id, {"name": "After", "source": source}),
            lambda: sdk.v1.customers.payment_sources.create(customer.id, {"source": source}),
            lambda: sdk.v1.customers.create({"source": source}),
            lambda: sdk.v1.payment_methods.attach(method, {"customer": customer.id}),
        ):
            error = expect(stripe.CardError, call)
            equal((name, error.http_status, error.code), (name, 402, code))
            assert error.user_message and error.request_id.startswith("req_")
            if decline_code:
                equal((name, error.error.decline_code), (name, decline_code))
    shown = sdk.v1.customers.retrieve(customer.id)
    equal((shown.name, shown.default_source), ("Before", customer.default_source))
    equal(len(sdk.v1.customers.payment_sources.list(customer.id).data), 1)
    equal(len(sdk.v1.customers.list().data), 1)


@check
def payment_methods_are_attached_and_detached():
    sdk = client()
    customer = sdk.v1.customers.create({"name": "Jenny"})
    methods = sdk.v1.payment_methods
    details = {"name": "Jenny Rosen", "email": "jenny@example.com"}
    made = methods.create({"type": "card", "card": {"token": "tok_visa"}, "billing_details": details})
    assert isinstance(made, stripe.PaymentMethod)
    equal((made.type, made.card.brand, made.card.last4, made.customer), ("card", "visa", "4242", None))
    equal((made.billing_details.name, made.billing_details.email), ("Jenny Rosen", "jenny@example.com"))
    equal(methods.attach(made.id, {"customer": customer.id}).customer, customer.id)
    named = methods.attach("pm_card_mastercard", {"customer": customer.id})
    assert named.id.startswith("pm_") and named.id != "pm_card_mastercard"
    taken = lambda: methods.attach(made.id, {"customer": customer.id})
    equal(expect(stripe.InvalidRequestError, taken).http_status, 400)
    changed = methods.update(made.id, {"metadata": {"order": "6735"}, "billing_details": {"phone": "+14155550123"}})
    equal((plain(changed.metadata), changed.billing_details.phone), ({"order": "6735"}, "+14155550123"))
    card = sdk.v1.customers.payment_sources.create(customer.id, {"source": "tok_amex"})
    of_customer = sdk.v1.customers.payment_methods
    newest_first = [card.id, named.id, made.id]
    equal([it.id for it in of_customer.list(customer.id, {"limit": 1}).auto_paging_iter()], newest_first)
    of_type = methods.list({"customer": customer.id, "type": "card", "limit": 2})
    equal((of_type.has_more, [it.id for it in of_type.auto_paging_iter()]), (True, newest_first))
    equal(of_customer.retrieve(customer.id, card.id).card.brand, "amex")
    equal(methods.retrieve(card.id).customer, customer.id)
    charged = {"invoice_settings": {"default_payment_method": made.id}}
    equal(sdk.v1.customers.update(customer.id, charged).invoice_settings.default_payment_method, made.id)
    expanded = sdk.v1.customers.retrieve(customer.id, {"expand": ["invoice_settings.default_payment_method"]})
    equal(expanded.invoice_settings.default_payment_method.card.last4, "4242")
    equal(methods.detach(made.id).customer, None)
    equal(sdk.v1.customers.retrieve(customer.id).invoice_settings.default_payment_method, None)
    spent = lambda: methods.attach(made.id, {"customer": customer.id})
    equal(expect(stripe.InvalidRequestError, spent).http_status, 400)
    strange = {"invoice_settings": {"default_payment_method": made.id}}
    expect(stripe.InvalidRequestError, lambda: sdk.v1.customers.update(customer.id, strange))


@check
def the_global_client_attaches_payment_methods_too():
    stripe.api_key, stripe.api_base = f"sk_test_python{uuid.uuid4().hex}", URL
    method = stripe.PaymentMethod.create(type="card", card=CARD)
    customer = stripe.Customer.create(
        payment_method=method.id, invoice_settings={"default_payment_method": method.id}
    )
    equal(customer.invoice_settings.default_payment_method, method.id)
    other = stripe.PaymentMethod.attach("pm_card_visa", customer=customer.id)
    equal([it.id for it in customer.list_payment_methods()], [other.id, method.id])
    equal(customer.retrieve_payment_method(method.id).card.last4, "4242")
    equal(stripe.Customer.retrieve_payment_method(customer.id, other.id).customer, customer.id)
    equal(stripe.PaymentMethod.modify(other.id, card={"exp_year": 2032}).card.exp_year, 2032)
    equal(len(stripe.PaymentMethod.list(customer=customer.id, type="card").data), 2)
    equal(stripe.PaymentMethod.detach(method.id).customer, None)
    equal(stripe.Customer.retrieve(customer.id).invoice_settings.default_payment_method, None)
    kinds = [event.type for event in stripe.Event.list(types=["payment_method.attached", "payment_method.detached"])]
    equal(kinds, ["payment_method.detached", "payment_method.attached", "payment_method.attached"])


@check
def setup_intents_attach_what_they_set_up():
    sdk = client()
    customer = sdk.v1.customers.create({"name": "Jenny"})
    intents = sdk.v1.setup_intents
    made = intents.create({"customer": customer.id, "payment_method_types": ["card"]})
    assert isinstance(made, stripe.SetupIntent)
    equal((made.status, made.usage), ("requires_payment_method", "off_session"))
    done = intents.confirm(made.id, {"payment_method": "pm_card_visa", "expand": ["payment_method"]})
    equal((done.status, done.payment_method.customer), ("succeeded", customer.id))
    again = expect(stripe.InvalidRequestError, lambda: intents.confirm(made.id, {"payment_method": "pm_card_visa"}))
    equal((again.code, again.error.setup_intent.id), ("setup_intent_unexpected_state", made.id))
    other = intents.create({"customer": customer.id, "payment_method_types": ["card"]})
    declined = {"payment_method": "pm_card_visa_chargeDeclined"}
    refused = expect(stripe.CardError, lambda: intents.confirm(other.id, declined))
    equal((refused.http_status, refused.code), (402, "card_declined"))
    equal(intents.retrieve(other.id).last_setup_error.code, "card_declined")
    equal(intents.cancel(other.id, {"cancellation_reason": "abandoned"}).status, "canceled")
    equal([it.id for it in intents.list({"customer": customer.id})], [other.id, made.id])
    equal(len(sdk.v1.setup_attempts.list({"setup_intent": made.id}).data), 1)
    kinds = [event.type for event in sdk.v1.events.list({"type": "setup_intent.*"})]
    equal(kinds[:2], ["setup_intent.canceled", "setup_intent.setup_failed"])


@check
def sources_of_the_older_api_are_made_and_attached():
    sdk = client()
    customer = sdk.v1.customers.create({"name": "Jenny"})
    made = sdk.v1.sources.create({"type": "card", "token": "tok_visa", "owner": {"email": "jenny@example.com"}})
    assert isinstance(made, stripe.Source)
    equal((made.status, made.card.brand, made.owner.email), ("chargeable", "Visa", "jenny@example.com"))
    held = sdk.v1.customers.payment_sources.create(customer.id, {"source": made.id})
    equal((held.id, sdk.v1.customers.retrieve(customer.id).default_source), (made.id, made.id))
    equal(sdk.v1.sources.update(made.id, {"metadata": {"a": "b"}}).metadata.a, "b")
    gone = sdk.v1.customers.payment_sources.delete(customer.id, made.id)
    equal((gone.id, gone.status), (made.id, "consumed"))
    attach = lambda: sdk.v1.customers.payment_sources.create(customer.id, {"source": made.id})
    equal(expect(stripe.InvalidRequestError, attach).http_status, 400)


@check
def a_key_sent_again_replays_the_answer():
    sdk = client()
    key = {"idempotency_key": "the same"}
    first = sdk.v1.customers.create({"name": "Once"}, key)
    second = sdk.v1.customers.create({"name": "Once"}, key)
    equal(plain(second), plain(first))
    equal("idempotent-replayed" in first.last_response.headers, False)
    equal(second.last_response.headers["idempotent-replayed"], "true")
    equal(second.last_response.headers["idempotency-key"], "the same")
    equal(len(sdk.v1.customers.list().data), 1)
    error = expect(stripe.IdempotencyError, lambda: sdk.v1.customers.create({"name": "Other"}, key))
    assert "same parameters they were first used with" in error.user_message
    error = expect(stripe.IdempotencyError, lambda: sdk.v1.customers.update(first.id, {"name": "Once"}, key))
    assert "same endpoint they were first used for" in error.user_message


@check
def the_sdk_sends_a_key_of_its_own():
    sdk = client(max_network_retries=2)
    customer = sdk.v1.customers.create()
    own = customer.last_response.headers["idempotency-key"]
    equal(sdk.v1.events.list().data[0].request.idempotency_key, own)
    again = sdk.v1.customers.create({}, {"idempotency_key": own})
    equal(again.id, customer.id)


@check
def a_refused_parameter_raises_invalid_request():
    sdk = client()
    customer = sdk.v1.customers.create({"name": "Before"})
    cases = [
        ({"name": "After", "nonsense": "1"}, "parameter_unknown", "nonsense"),
        ({"name": "After", "balance": "many"}, "parameter_invalid_integer", "balance"),
        ({"name": "After", "tax_exempt": "sometimes"}, None, "tax_exempt"),
        ({"name": "After", "phone": "0" * 21}, None, "phone"),
        ({"name": "After", "metadata": {"k": "v" * 501}}, None, "metadata"),
        ({"name": "After", "source": "tok_none"}, "resource_missing", "source"),
        ({"name": "After", "shipping": {"name": "Jenny"}}, "parameter_missing", "shipping[address]"),
    ]
    for params, code, param in cases:
        error = expect(stripe.InvalidRequestError, lambda: sdk.v1.customers.update(customer.id, params))
        equal((param, error.http_status), (param, 400))
        assert error.param.startswith(param), f"{param}: {error!r}"
        assert code == "*" or error.code == code, f"{param}: {error!r}"
        assert error.request_id.startswith("req_")
        equal(error.error.type, "invalid_request_error")
    equal(sdk.v1.customers.retrieve(customer.id).name, "Before")


@check
def an_unknown_customer_raises_invalid_request():
    error = expect(stripe.InvalidRequestError, lambda: client().v1.customers.retrieve("cus_none"))
    equal((error.http_status, error.code, error.param), (404, "resource_missing", "id"))
    equal(error.user_message, "No such customer: 'cus_none'")
    error = expect(stripe.InvalidRequestError, lambda: client().raw_request("get", "/v1/nothing"))
    equal(error.http_status, 404)
    assert error.user_message.startswith("Unrecognized request URL (GET: /v1/nothing)")


@check
def a_wrong_key_raises_authentication():
    error = expect(stripe.AuthenticationError, lambda: client("sk_live_wrong").v1.customers.list())
    equal(error.http_status, 401)
    assert error.user_message.startswith("Invalid API Key provided: "), error.user_message
    error = expect(stripe.AuthenticationError, lambda: client("sk_test_unknown", SERVE_URL).v1.customers.list())
    equal(error.http_status, 401)
    publishable = client(os.environ["CUSP_PUBLISHABLE_KEY"], SERVE_URL)
    error = expect(stripe.AuthenticationError, lambda: publishable.v1.customers.list())
    equal(error.error.code, "secret_key_required")


@check
def a_key_without_the_permission_raises_permission():
    writer = client(os.environ["CUSP_SECRET_KEY"], SERVE_URL)
    reader = client(os.environ["CUSP_READ_ONLY_KEY"], SERVE_URL)
    customer = writer.v1.customers.create({"name": "Before"})
    equal(reader.v1.customers.retrieve(customer.id).name, "Before")
    error = expect(stripe.PermissionError, lambda: reader.v1.customers.update(customer.id, {"name": "After"}))
    equal(error.http_status, 403)
    assert "does not have the required permissions" in error.user_message, error.user_message
    expect(stripe.PermissionError, lambda: reader.v1.events.list())
    equal(writer.v1.customers.retrieve(customer.id).name, "Before")


@check
def too_many_requests_raise_rate_limit():
    sdk = client(url=LIMITED_URL, max_network_retries=0)

    def hurry():
        for _ in range(20):
            sdk.v1.customers.list()

    error = expect(stripe.RateLimitError, hurry)
    equal((error.http_status, error.error.code), (429, "rate_limit"))


@check
def nobody_listening_raises_connection():
    sdk = client(url="http://127.0.0.1:1", max_network_retries=0)
    expect(stripe.APIConnectionError, lambda: sdk.v1.customers.list())


@check
def a_connected_account_is_a_space_of_its_own():
    sdk = client()
    mine = sdk.v1.customers.create({"name": "Mine"})
    theirs = sdk.v1.customers.create({"name": "Theirs"}, {"stripe_account": "acct_connected"})
    equal([found.id for found in sdk.v1.customers.list()], [mine.id])
    equal([found.id for found in sdk.v1.customers.list({}, {"stripe_account": "acct_connected"})], [theirs.id])
    equal(sdk.v1.accounts.retrieve_current({}, {"stripe_account": "acct_connected"}).id, "acct_connected")
    assert sdk.v1.accounts.retrieve_current().id.startswith("acct_")
    missing = lambda: sdk.v1.customers.retrieve(mine.id, {}, {"stripe_account": "acct_connected"})
    equal(expect(stripe.InvalidRequestError, missing).code, "resource_missing")

    serving = client(os.environ["CUSP_SECRET_KEY"], SERVE_URL)
    linked = {"stripe_account": os.environ["CUSP_LINKED_ACCOUNT"]}
    made = serving.v1.customers.create({"name": "Linked"}, linked)
    equal(serving.v1.customers.retrieve(made.id, {}, linked).name, "Linked")
    unlinked = lambda: serving.v1.customers.list({}, {"stripe_account": "acct_unlinked"})
    expect(stripe.PermissionError, unlinked)


@check
def a_version_is_spoken_as_it_was():
    sdk = client()
    customer = sdk.v1.customers.create({"balance": -5, "business_name": "Rosen"})
    equal(customer.last_response.headers["stripe-version"], stripe.api_version)
    old = sdk.v1.customers.retrieve(customer.id, {}, {"stripe_version": "2019-02-19"})
    equal(old.last_response.headers["stripe-version"], "2019-02-19")
    equal(old["account_balance"], -5)
    assert "balance" not in old and "business_name" not in old
    equal((old.sources.object, old.subscriptions.object), ("list", "list"))
    changed = sdk.v1.customers.update(customer.id, {"account_balance": -7}, {"stripe_version": "2019-02-19"})
    equal(changed["account_balance"], -7)
    equal(sdk.v1.customers.retrieve(customer.id).balance, -7)
    pinned = client(stripe_version="2024-06-20")
    named = lambda: pinned.v1.customers.create({"business_name": "Rosen"})
    equal(expect(stripe.InvalidRequestError, named).code, "parameter_unknown")
    unknown = lambda: sdk.v1.customers.list({}, {"stripe_version": "2001-01-01"})
    equal(expect(stripe.InvalidRequestError, unknown).http_status, 400)


class Receiver:
    """A receiver of webhooks, as an application has one: it keeps bodies and signatures as they came."""

    def __init__(self):
        came = self.came = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                came.put((body, self.headers["Stripe-Signature"]))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/webhooks"

    def next(self):
        return self.came.get(timeout=30)


def rolled_secret(key, endpoint, overlap_seconds):
    """The new secret of an endpoint. Stripe's API has no words for it, so that no SDK can ask for it."""
    url = f"{URL}/cusp/v1/webhook_endpoints/{endpoint}/roll_secret"
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps({"overlap_seconds": overlap_seconds}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as reply:
        return json.load(reply)["secret"]


@check
def webhooks_are_verified():
    key = f"sk_test_python{uuid.uuid4().hex}"
    sdk = client(key)
    receiver = Receiver()
    made = sdk.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    customer = sdk.v1.customers.create({"name": "Zoë"})
    body, signature = receiver.next()
    event = stripe.Webhook.construct_event(body, signature, made.secret)
    equal((event.type, event.data.object.id, event.data.object.name), ("customer.created", customer.id, "Zoë"))
    equal(sdk.construct_event(body, signature, made.secret).id, event.id)
    equal(sdk.v1.events.retrieve(event.id).data.object.id, customer.id)

    tampered = body.replace("Zoë".encode(), "Zoe".encode())
    assert tampered != body
    later = signature.replace("t=", "t=1")
    for wrong in [(tampered, signature, made.secret), (body, later, made.secret), (body, signature, "whsec_other")]:
        expect(stripe.SignatureVerificationError, lambda: stripe.Webhook.construct_event(*wrong))

    # While a secret is being replaced, both of them hold.
    rolled = rolled_secret(key, made.id, 3600)
    assert rolled != made.secret
    sdk.v1.customers.create({"name": "Jenny"})
    body, signature = receiver.next()
    for secret in [made.secret, rolled]:
        equal(stripe.Webhook.construct_event(body, signature, secret).data.object.name, "Jenny")
    tampered = body.replace(b"Jenny", b"Benny")
    for secret in [made.secret, rolled]:
        expect(stripe.SignatureVerificationError, lambda: stripe.Webhook.construct_event(tampered, signature, secret))

    # And once the former one has ended, it does not.
    last = rolled_secret(key, made.id, 0)
    sdk.v1.customers.create({"name": "Joan"})
    body, signature = receiver.next()
    equal(stripe.Webhook.construct_event(body, signature, last).data.object.name, "Joan")
    for secret in [made.secret, rolled]:
        expect(stripe.SignatureVerificationError, lambda: stripe.Webhook.construct_event(body, signature, secret))


@check
def the_global_client_works_too():
    stripe.api_key = f"sk_test_python{uuid.uuid4().hex}"
    stripe.api_base = URL
    customer = stripe.Customer.create(name="Global", metadata={"a": "1"}, idempotency_key="global")
    equal(stripe.Customer.create(name="Global", metadata={"a": "1"}, idempotency_key="global").id, customer.id)
    stripe.Customer.modify(customer.id, metadata={"a": ""})
    customer.refresh()
    equal(plain(customer.metadata), {})
    customer.description = "changed on the object"
    customer.save()
    equal(stripe.Customer.retrieve(customer.id).description, "changed on the object")
    equal(stripe.Customer.list(limit=3).data[0].id, customer.id)
    equal(stripe.Customer.search(query="name:'Global'").data[0].id, customer.id)
    line = stripe.Customer.create_balance_transaction(customer.id, amount=5, currency="usd")
    equal(stripe.Customer.retrieve_balance_transaction(customer.id, line.id).ending_balance, 5)
    equal(stripe.Event.list(type="customer.created").data[0].data.object.id, customer.id)
    equal(customer.delete().deleted, True)


def main():
    broken = 0
    for function in CHECKS:
        try:
            function()
            print(f"holds   {function.__name__}", flush=True)
        except Exception:
            broken += 1
            print(f"BROKEN  {function.__name__}\n{traceback.format_exc()}", flush=True)
    print(f"stripe-python {stripe.VERSION}: {len(CHECKS) - broken} of {len(CHECKS)} checks hold")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
