'use strict';
// The official Node SDK, unmodified, against a running cusp: it is told the server's address and nothing else.
//
// What it needs comes in through the environment; tests/sdk/python/suite.py lists it.

const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const http = require('node:http');
const Stripe = require('stripe');

const { CUSP_URL, CUSP_LIMITED_URL, CUSP_SERVE_URL } = process.env;
const checks = [];

// Registers a check. Each one makes a client whose sandbox nobody else uses.
function check(name, run) {
  checks.push({ name, run });
}

function client({ key = `sk_test_node${randomUUID().replaceAll('-', '')}`, url = CUSP_URL, ...options } = {}) {
  const { protocol, hostname, port } = new URL(url);
  return new Stripe(key, { host: hostname, port, protocol: protocol.replace(':', ''), ...options });
}

// The error that the promise ends with, which has to be of that very class.
async function expectError(errorClass, promise) {
  try {
    await promise;
  } catch (error) {
    assert.equal(error.constructor.name, errorClass.name, `${error.constructor.name}: ${error.message}`);
    return error;
  }
  throw new assert.AssertionError({ message: `expected ${errorClass.name}, nothing was thrown` });
}

// An object of a reply without what the SDK hangs on it.
const plain = (value) => JSON.parse(JSON.stringify(value));

async function collect(list) {
  const all = [];
  for await (const item of list) all.push(item);
  return all;
}

const ids = (items) => items.map((item) => item.id);
const { errors } = Stripe;

const address = { city: 'Berlin', country: 'DE', line1: 'Torstraße 1', line2: 'Hof', postal_code: '10119', state: 'BE' };
const shipping = { name: 'Jenny Rosen', phone: '+49301234567', address };

// parameter: what is sent, which is also what the customer then shows
const settable = {
  address,
  balance: -1250,
  business_name: 'Rosen & Söhne',
  description: 'a customer, said in ✓ text',
  email: 'jenny+rosen@example.com',
  individual_name: 'Jenny Rosen',
  metadata: { order: '6735', tier: 'gold' },
  name: 'Jenny Rosen',
  next_invoice_sequence: 42,
  phone: '+14155550123',
  preferred_locales: ['de-DE', 'en'],
  shipping,
  tax_exempt: 'reverse',
};

// parameter: what the customer shows once it is cleared
const clearable = {
  address: null,
  business_name: null,
  description: null,
  email: null,
  individual_name: null,
  metadata: {},
  name: null,
  phone: null,
  shipping: null,
  tax_exempt: 'none',
};

check('a customer is created with every parameter', async () => {
  const sdk = client();
  const made = await sdk.customers.create(settable);
  assert.match(made.id, /^cus_/);
  assert.deepEqual([made.object, made.livemode, made.currency], ['customer', false, 'usd']);
  for (const name of Object.keys(settable)) assert.deepEqual(made[name], settable[name], name);
  assert.deepEqual(plain(await sdk.customers.retrieve(made.id)), plain(made));
});

check('every parameter is updated by itself', async () => {
  const sdk = client();
  const { id } = await sdk.customers.create();
  for (const [name, value] of Object.entries(settable)) {
    const updated = await sdk.customers.update(id, { [name]: value });
    assert.deepEqual(updated[name], value, name);
  }
  const shown = await sdk.customers.retrieve(id);
  for (const [name, value] of Object.entries(settable)) assert.deepEqual(shown[name], value, name);
});

check('every parameter is updated in one request', async () => {
  const sdk = client();
  const { id } = await sdk.customers.create();
  const updated = await sdk.customers.update(id, settable);
  for (const [name, value] of Object.entries(settable)) assert.deepEqual(updated[name], value, name);
});

check('invoice settings are updated part by part', async () => {
  const sdk = client();
  const { id } = await sdk.customers.create();
  const parts = {
    custom_fields: [{ name: 'PO', value: '4711' }, { name: 'VAT', value: 'DE123' }],
    footer: 'Thank you',
    rendering_options: { amount_tax_display: 'include_inclusive_tax' },
  };
  for (const [name, value] of Object.entries(parts)) {
    await sdk.customers.update(id, { invoice_settings: { [name]: value } });
  }
  const { invoice_settings: settings, invoice_prefix: prefix } = await sdk.customers.retrieve(id);
  assert.deepEqual(settings.custom_fields, parts.custom_fields);
  assert.equal(settings.footer, parts.footer);
  assert.equal(settings.rendering_options.amount_tax_display, 'include_inclusive_tax');
  for (const name of Object.keys(parts)) {
    const cleared = await sdk.customers.update(id, { invoice_settings: { [name]: '' } });
    const left = cleared.invoice_settings[name];
    assert.ok(left === null || left.length === 0, `${name} is cleared: ${JSON.stringify(left)}`);
  }
  assert.match(prefix, /^[A-Z0-9]{3,12}$/);
  assert.equal((await sdk.customers.update(id, { invoice_prefix: 'NODE2026' })).invoice_prefix, 'NODE2026');
});

check('every parameter that can be is cleared, by an empty string or by null', async () => {
  const sdk = client();
  for (const nothing of ['', null]) {
    const { id } = await sdk.customers.create(settable);
    for (const [name, shown] of Object.entries(clearable)) {
      const cleared = await sdk.customers.update(id, { [name]: nothing });
      assert.deepEqual(cleared[name] ?? null, shown, name);
    }
    for (const name of ['balance', 'next_invoice_sequence', 'invoice_prefix']) {
      const error = await expectError(errors.StripeInvalidRequestError, sdk.customers.update(id, { [name]: '' }));
      assert.deepEqual([error.code, error.param], ['parameter_invalid_empty', name]);
    }
  }
});

check('metadata is merged by key and an address is replaced as a whole', async () => {
  const sdk = client();
  const { id } = await sdk.customers.create({ metadata: { a: '1', b: '2' }, address });
  const updated = await sdk.customers.update(id, { metadata: { a: '', c: '3' }, address: { city: 'Köln' } });
  assert.deepEqual(updated.metadata, { b: '2', c: '3' });
  assert.deepEqual(updated.address, {
    city: 'Köln', country: null, line1: null, line2: null, postal_code: null, state: null,
  });
});

check('tax, cash balance and lists are expanded', async () => {
  const sdk = client();
  const { id } = await sdk.customers.create({ address });
  const updated = await sdk.customers.update(id, {
    tax: { ip_address: '2001:db8::7', validate_location: 'immediately' },
    cash_balance: { settings: { reconciliation_mode: 'manual' } },
    expand: ['tax', 'cash_balance', 'sources', 'subscriptions', 'tax_ids', 'invoice_credit_balance'],
  });
  assert.equal(updated.tax.ip_address, '2001:db8::7');
  assert.equal(updated.cash_balance.settings.reconciliation_mode, 'manual');
  for (const name of ['sources', 'subscriptions', 'tax_ids']) {
    assert.deepEqual([updated[name].object, updated[name].data, updated[name].has_more], ['list', [], false]);
  }
  assert.deepEqual(updated.invoice_credit_balance, {});
  const bare = await sdk.customers.retrieve(id);
  for (const name of ['tax', 'cash_balance', 'sources']) assert.ok(!(name in bare), name);
  const cleared = await sdk.customers.update(id, { tax: { ip_address: '' }, expand: ['tax'] });
  assert.equal(cleared.tax.ip_address, null);
  const listed = await sdk.customers.list({ expand: ['data.tax'] });
  assert.ok(listed.data[0].tax);
  const error = await expectError(errors.StripeInvalidRequestError, sdk.customers.retrieve(id, { expand: ['email'] }));
  assert.equal(error.message, 'This property cannot be expanded (email).');
});

check('money arrives in a cash balance', async () => {
  const sdk = client();
  const { id } = await sdk.customers.create({ name: 'Jenny' });
  const first = await sdk.testHelpers.customers.fundCashBalance(id, { amount: 500, currency: 'eur', reference: 'R 1' });
  await sdk.testHelpers.customers.fundCashBalance(id, { amount: 700, currency: 'usd' });
  assert.deepEqual([first.type, first.net_amount, first.ending_balance], ['funded', 500, 500]);
  assert.equal(first.funded.bank_transfer.reference, 'R 1');
  const balance = await sdk.customers.retrieveCashBalance(id);
  assert.deepEqual(balance.available, { eur: 500, usd: 700 });
  const listed = await sdk.customers.listCashBalanceTransactions(id, { limit: 1 });
  assert.deepEqual([listed.data[0].currency, listed.has_more], ['usd', true]);
  const read = await sdk.customers.retrieveCashBalanceTransaction(id, first.id, { expand: ['customer'] });
  assert.equal(read.customer.name, 'Jenny');
  const wanted = { funding_type: 'bank_transfer', currency: 'usd', bank_transfer: { type: 'us_bank_transfer' } };
  const instructions = await sdk.customers.createFundingInstructions(id, wanted);
  assert.deepEqual(instructions.bank_transfer.financial_addresses.map((address) => address.type), ['aba', 'swift']);
  const events = await sdk.events.list({ types: ['cash_balance.funds_available'] });
  assert.deepEqual(events.data.map((event) => event.data.object.available), [{ eur: 500, usd: 700 }, { eur: 500 }]);
  await expectError(errors.StripeInvalidRequestError, sdk.customers.del(id));
});

check('pages follow each other both ways', async () => {
  const sdk = client();
  const made = [];
  for (let number = 0; number < 25; number++) made.push((await sdk.customers.create()).id);
  const newestFirst = [...made].reverse();
  assert.deepEqual(ids(await collect(sdk.customers.list({ limit: 10 }))), newestFirst);
  assert.deepEqual(ids(await sdk.customers.list({ limit: 7 }).autoPagingToArray({ limit: 20 })), newestFirst.slice(0, 20));
  assert.deepEqual(ids(await collect(sdk.customers.list({ limit: 10, ending_before: made[0] }))), made.slice(1));
  const first = await sdk.customers.list({ limit: 10 });
  assert.deepEqual([first.has_more, first.url], [true, '/v1/customers']);
  const { created } = await sdk.customers.retrieve(made[0]);
  assert.equal((await sdk.customers.list({ limit: 100, created: { gte: created - 10 } })).data.length, 25);
  assert.equal((await sdk.customers.list({ created: { gt: created + 1000 } })).data.length, 0);
});

check('a search finds what was just written', async () => {
  const sdk = client();
  const made = [];
  for (let number = 0; number < 15; number++) {
    const params = { email: `person${number}@example.com`, name: `Person ${number}`, metadata: { team: 'blue' } };
    made.push((await sdk.customers.create(params)).id);
  }
  const found = async (query, more = {}) => ids(await collect(sdk.customers.search({ query, ...more })));
  assert.deepEqual(await found("email:'person7@example.com'"), [made[7]]);
  assert.deepEqual((await found("metadata['team']:'blue'", { limit: 4 })).sort(), [...made].sort());
  assert.deepEqual((await found("name~'person'")).sort(), [...made].sort());
  assert.deepEqual(await found("-metadata['team']:null name:'Person 3'"), [made[3]]);
  await sdk.customers.update(made[7], { email: 'moved@example.com' });
  assert.deepEqual(await found("email:'person7@example.com'"), []);
  assert.deepEqual(await found("email:'moved@example.com'"), [made[7]]);
  const error = await expectError(errors.StripeInvalidRequestError, sdk.customers.search({ query: 'name' }));
  assert.equal(error.statusCode, 400);
});

check('balance transactions keep the books', async () => {
  const sdk = client();
  const { id } = await sdk.customers.create({ balance: -500 });
  const made = await sdk.customers.createBalanceTransaction(id, { amount: 200, currency: 'usd', description: 'a charge' });
  assert.deepEqual([made.object, made.type, made.ending_balance], ['customer_balance_transaction', 'adjustment', -300]);
  assert.equal((await sdk.customers.retrieve(id)).balance, -300);
  const lines = await collect(sdk.customers.listBalanceTransactions(id, { limit: 1 }));
  assert.deepEqual(lines.map((line) => [line.type, line.amount]), [['adjustment', 200], ['initial', -500]]);
  await sdk.customers.updateBalanceTransaction(id, made.id, { metadata: { k: 'v' } });
  assert.deepEqual((await sdk.customers.retrieveBalanceTransaction(id, made.id)).metadata, { k: 'v' });
});

check('a cash balance has settings', async () => {
  const sdk = client();
  const { id } = await sdk.customers.create();
  const shown = await sdk.customers.retrieveCashBalance(id);
  assert.deepEqual([shown.object, shown.settings.using_merchant_default], ['cash_balance', true]);
  const changed = await sdk.customers.updateCashBalance(id, { settings: { reconciliation_mode: 'manual' } });
  assert.deepEqual(plain(changed.settings), { reconciliation_mode: 'manual', using_merchant_default: false });
});

check('events tell what happened', async () => {
  const sdk = client();
  const { id } = await sdk.customers.create({ name: 'Before' }, { idempotencyKey: 'made-once' });
  await sdk.customers.update(id, { name: 'After', metadata: { a: '1' } });
  await sdk.customers.update(id, { name: 'After' });
  await sdk.customers.del(id);
  const events = await collect(sdk.events.list({ limit: 1 }));
  assert.deepEqual(events.map((event) => event.type), ['customer.deleted', 'customer.updated', 'customer.created']);
  assert.deepEqual(events[1].data.previous_attributes, { metadata: { a: null }, name: 'Before' });
  assert.equal(events[1].data.object.name, 'After');
  assert.equal(events[2].request.idempotency_key, 'made-once');
  assert.deepEqual(plain(await sdk.events.retrieve(events[1].id)), plain(events[1]));
  assert.deepEqual(ids((await sdk.events.list({ types: ['customer.updated'] })).data), [events[1].id]);
});

check('a deleted customer is gone', async () => {
  const sdk = client();
  const { id } = await sdk.customers.create();
  assert.deepEqual(plain(await sdk.customers.del(id)), { id, object: 'customer', deleted: true });
  assert.equal((await sdk.customers.retrieve(id)).deleted, true);
  assert.deepEqual((await sdk.customers.list()).data, []);
  const error = await expectError(errors.StripeInvalidRequestError, sdk.customers.update(id, { name: 'x' }));
  assert.deepEqual([error.code, error.param], ['resource_missing', 'id']);
});

check('coupons come and go', async () => {
  const sdk = client();
  const made = await sdk.coupons.create({ percent_off: 25.5, duration: 'repeating', duration_in_months: 3 });
  assert.match(made.id, /^[A-Za-z0-9]{8}$/);
  assert.deepEqual([made.percent_off, made.duration_in_months, made.valid], [25.5, 3, true]);
  const chosen = await sdk.coupons.create({ id: '5EUR', amount_off: 500, currency: 'eur' });
  assert.deepEqual([chosen.amount_off, chosen.currency, chosen.duration], [500, 'eur', 'once']);
  const taken = sdk.coupons.create({ id: '5EUR', percent_off: 1 });
  const error = await expectError(errors.StripeInvalidRequestError, taken);
  assert.deepEqual([error.statusCode, error.code], [400, 'resource_already_exists']);
  assert.equal((await sdk.coupons.update('5EUR', { name: 'Five off' })).name, 'Five off');
  assert.equal((await sdk.coupons.retrieve('5EUR')).name, 'Five off');
  assert.deepEqual(ids(await collect(sdk.coupons.list({ limit: 1 }))), ['5EUR', made.id]);
  assert.deepEqual(plain(await sdk.coupons.del('5EUR')), { id: '5EUR', object: 'coupon', deleted: true });
  const gone = await expectError(errors.StripeInvalidRequestError, sdk.coupons.retrieve('5EUR'));
  assert.deepEqual([gone.statusCode, gone.code], [404, 'resource_missing']);
});

check('promotion codes stand for a coupon', async () => {
  const sdk = client();
  const coupon = await sdk.coupons.create({ percent_off: 25 });
  const promotion = { type: 'coupon', coupon: coupon.id };
  const made = await sdk.promotionCodes.create({ promotion, code: 'FALL20', max_redemptions: 5 });
  assert.deepEqual([made.code, made.active], ['FALL20', true]);
  assert.deepEqual(plain(made.promotion), { coupon: coupon.id, type: 'coupon' });
  const full = await sdk.promotionCodes.retrieve(made.id, { expand: ['promotion.coupon'] });
  assert.equal(full.promotion.coupon.percent_off, 25);
  const again = sdk.promotionCodes.create({ promotion, code: 'fall20' });
  assert.equal((await expectError(errors.StripeInvalidRequestError, again)).param, 'code');
  assert.deepEqual(ids((await sdk.promotionCodes.list({ code: 'fall20', active: true })).data), [made.id]);
  assert.equal((await sdk.promotionCodes.update(made.id, { active: false })).active, false);
  const drawn = await sdk.promotionCodes.create({ promotion });
  assert.match(drawn.code, /^[A-Z0-9]{8}$/);
  assert.deepEqual(ids(await collect(sdk.promotionCodes.list({ coupon: coupon.id, limit: 1 }))), [drawn.id, made.id]);
  const [updated] = (await sdk.events.list({ type: 'promotion_code.updated' })).data;
  assert.deepEqual(updated.data.previous_attributes, { active: true });
});

check('a customer redeems a coupon', async () => {
  const sdk = client();
  const older = { apiVersion: '2024-06-20' };
  const coupon = await sdk.coupons.create({ percent_off: 25, duration: 'repeating', duration_in_months: 3 });
  const made = await sdk.customers.create({ coupon: coupon.id }, older);
  assert.deepEqual([made.discount.coupon.id, made.discount.coupon.times_redeemed], [coupon.id, 1]);
  const { id, discount } = await sdk.customers.retrieve(made.id, { expand: ['discount.source.coupon'] });
  assert.deepEqual([discount.id, discount.source.coupon.percent_off], [made.discount.id, 25]);
  const gone = await sdk.customers.deleteDiscount(id);
  assert.deepEqual([gone.id, gone.deleted, gone.customer], [discount.id, true, id]);
  const error = await expectError(errors.StripeInvalidRequestError, sdk.customers.deleteDiscount(id));
  assert.deepEqual([error.statusCode, error.code], [404, 'resource_missing']);
  assert.equal((await sdk.customers.retrieve(id)).discount, null);
});

check('tax ids belong to a customer', async () => {
  const sdk = client();
  const data = [{ type: 'eu_vat', value: 'DE123456789' }];
  const customer = await sdk.customers.create({ tax_id_data: data, expand: ['tax_ids'] });
  const [first] = customer.tax_ids.data;
  assert.deepEqual([first.type, first.country, first.customer], ['eu_vat', 'DE', customer.id]);
  assert.equal(first.verification.status, 'unavailable');
  const made = await sdk.customers.createTaxId(customer.id, { type: 'gb_vat', value: 'GB111111111' });
  assert.equal(made.verification.status, 'pending');
  assert.equal((await sdk.customers.retrieveTaxId(customer.id, made.id)).verification.status, 'unverified');
  const owner = { type: 'customer', customer: customer.id };
  const other = await sdk.taxIds.create({ owner, type: 'us_ein', value: '12-3456789' });
  assert.deepEqual([other.owner.type, other.owner.customer], ['customer', customer.id]);
  assert.deepEqual(ids(await collect(sdk.taxIds.list({ owner, limit: 2 }))), [other.id, made.id, first.id]);
  assert.deepEqual((await sdk.taxIds.list()).data, []);
  const bad = sdk.customers.createTaxId(customer.id, { type: 'eu_vat', value: 'nothing' });
  assert.equal((await expectError(errors.StripeInvalidRequestError, bad)).code, 'tax_id_invalid');
  const gone = await sdk.customers.deleteTaxId(customer.id, made.id);
  assert.deepEqual(plain(gone), { id: made.id, object: 'tax_id', deleted: true });
  assert.equal((await sdk.taxIds.del(other.id)).deleted, true);
  assert.deepEqual(ids((await sdk.customers.listTaxIds(customer.id)).data), [first.id]);
});

const card = { number: '4242424242424242', exp_month: 8, exp_year: 2030, cvc: '314' };

check('tokens stand for a card once', async () => {
  const sdk = client();
  const token = await sdk.tokens.create({ card: { ...card, name: 'Jenny Rosen' } });
  assert.deepEqual([token.type, token.used, token.card.brand, token.card.last4], ['card', false, 'Visa', '4242']);
  assert.ok(!('number' in token.card) && !('cvc' in token.card));
  const { id, default_source: source } = await sdk.customers.create({ source: token.id });
  assert.deepEqual([source, (await sdk.tokens.retrieve(token.id)).used], [token.card.id, true]);
  const again = await expectError(errors.StripeInvalidRequestError, sdk.customers.update(id, { source: token.id }));
  assert.deepEqual([again.statusCode, again.code, again.param], [400, 'token_already_used', 'source']);
});

check('sources come, change and go', async () => {
  const sdk = client();
  const { id, default_source: first } = await sdk.customers.create({ source: 'tok_visa' });
  const bank = await sdk.customers.createSource(id, { source: 'btok_us' });
  assert.deepEqual([bank.object, bank.customer, bank.status], ['bank_account', id, 'new']);
  const wrong = sdk.customers.verifySource(id, bank.id, { amounts: [1, 2] });
  assert.equal((await expectError(errors.StripeInvalidRequestError, wrong)).code, 'bank_account_verification_failed');
  assert.equal((await sdk.customers.verifySource(id, bank.id, { amounts: [32, 45] })).status, 'verified');
  const replaced = await sdk.customers.update(id, { source: 'tok_mastercard', expand: ['default_source'] });
  assert.equal(replaced.default_source.brand, 'MasterCard');
  const third = await sdk.customers.createSource(id, { source: 'tok_amex', metadata: { a: '1' } });
  const newestFirst = [third.id, replaced.default_source.id, bank.id];
  assert.deepEqual(ids(await collect(sdk.customers.listSources(id, { limit: 1 }))), newestFirst);
  assert.deepEqual(ids((await sdk.customers.listSources(id, { object: 'card' })).data), newestFirst.slice(0, 2));
  const changed = await sdk.customers.updateSource(id, third.id, { name: 'Jenny Rosen', exp_month: '11' });
  assert.deepEqual([changed.name, changed.exp_month, changed.metadata], ['Jenny Rosen', 11, { a: '1' }]);
  assert.equal((await sdk.customers.retrieveSource(id, third.id)).name, 'Jenny Rosen');
  assert.equal((await sdk.customers.update(id, { default_source: bank.id })).default_source, bank.id);
  const gone = await sdk.customers.deleteSource(id, bank.id);
  assert.deepEqual([gone.id, gone.deleted], [bank.id, true]);
  assert.equal((await sdk.customers.retrieve(id)).default_source, third.id);
  const missing = await expectError(errors.StripeInvalidRequestError, sdk.customers.retrieveSource(id, first));
  assert.deepEqual([missing.statusCode, missing.code], [404, 'resource_missing']);
});

check('a declined card is thrown as a card error', async () => {
  const sdk = client();
  const { id, default_source: source } = await sdk.customers.create({ name: 'Before', source: 'tok_visa' });
  const declines = [
    ['visa_chargeDeclined', 'card_declined', 'generic_decline'],
    ['visa_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['visa_chargeDeclinedLostCard', 'card_declined', 'lost_card'],
    ['chargeDeclinedExpiredCard', 'expired_card'],
    ['chargeDeclinedProcessingError', 'processing_error'],
  ];
  for (const [name, code, declineCode] of declines) {
    for (const attach of [
      () => sdk.customers.update(id, { name: 'After', source: `tok_${name}` }),
      () => sdk.customers.createSource(id, { source: `tok_${name}` }),
      () => sdk.paymentMethods.attach(`pm_card_${name}`, { customer: id }),
    ]) {
      const error = await expectError(errors.StripeCardError, attach());
      assert.deepEqual([error.statusCode, error.type, error.code], [402, 'StripeCardError', code]);
      if (declineCode) assert.equal(error.decline_code, declineCode);
    }
  }
  const shown = await sdk.customers.retrieve(id);
  assert.deepEqual([shown.name, shown.default_source], ['Before', source]);
  assert.equal((await sdk.customers.listPaymentMethods(id)).data.length, 1);
});

check('payment methods are attached and detached', async () => {
  const sdk = client();
  const { id } = await sdk.customers.create();
  const made = await sdk.paymentMethods.create({ type: 'card', card, billing_details: { name: 'Jenny Rosen' } });
  assert.deepEqual([made.type, made.card.brand, made.card.last4, made.customer], ['card', 'visa', '4242', null]);
  assert.equal((await sdk.paymentMethods.attach(made.id, { customer: id })).customer, id);
  const named = await sdk.paymentMethods.attach('pm_card_mastercard', { customer: id });
  const source = await sdk.customers.createSource(id, { source: 'tok_amex' });
  const newestFirst = [source.id, named.id, made.id];
  assert.deepEqual(ids(await collect(sdk.customers.listPaymentMethods(id, { limit: 1 }))), newestFirst);
  assert.deepEqual(ids(await collect(sdk.paymentMethods.list({ customer: id, type: 'card', limit: 2 }))), newestFirst);
  assert.equal((await sdk.customers.retrievePaymentMethod(id, source.id)).card.brand, 'amex');
  const changed = await sdk.paymentMethods.update(made.id, { metadata: { order: '6735' }, card: { exp_year: 2031 } });
  assert.deepEqual([changed.metadata, changed.card.exp_year], [{ order: '6735' }, 2031]);
  const charged = await sdk.customers.update(id, { invoice_settings: { default_payment_method: made.id } });
  assert.equal(charged.invoice_settings.default_payment_method, made.id);
  const full = await sdk.customers.retrieve(id, { expand: ['invoice_settings.default_payment_method'] });
  assert.equal(full.invoice_settings.default_payment_method.card.last4, '4242');
  assert.equal((await sdk.paymentMethods.detach(made.id)).customer, null);
  assert.equal((await sdk.customers.retrieve(id)).invoice_settings.default_payment_method, null);
  const spent = await expectError(
    errors.StripeInvalidRequestError, sdk.paymentMethods.attach(made.id, { customer: id }));
  assert.equal(spent.statusCode, 400);
  const brought = await sdk.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } });
  const other = await sdk.customers.create({
    payment_method: brought.id, invoice_settings: { default_payment_method: brought.id },
  });
  assert.equal(other.invoice_settings.default_payment_method, brought.id);
});

check('setup intents attach what they set up', async () => {
  const sdk = client();
  const { id } = await sdk.customers.create();
  const made = await sdk.setupIntents.create({ customer: id, payment_method_types: ['card'] });
  assert.equal(made.status, 'requires_payment_method');
  const done = await sdk.setupIntents.confirm(made.id, { payment_method: 'pm_card_visa' });
  assert.equal(done.status, 'succeeded');
  assert.equal((await sdk.paymentMethods.retrieve(done.payment_method)).customer, id);
  const other = await sdk.setupIntents.create({ customer: id, payment_method_types: ['card'] });
  const refused = await expectError(
    errors.StripeCardError, sdk.setupIntents.confirm(other.id, { payment_method: 'pm_card_visa_chargeDeclined' }));
  assert.deepEqual([refused.statusCode, refused.code], [402, 'card_declined']);
  assert.equal((await sdk.setupIntents.retrieve(other.id)).last_setup_error.code, 'card_declined');
  assert.equal((await sdk.setupIntents.cancel(other.id)).status, 'canceled');
  assert.deepEqual(ids(await collect(sdk.setupIntents.list({ customer: id, limit: 1 }))), [other.id, made.id]);
});

check('sources of the older API are made and attached', async () => {
  const sdk = client();
  const { id } = await sdk.customers.create();
  const made = await sdk.sources.create({ type: 'card', token: 'tok_visa' });
  assert.deepEqual([made.status, made.card.last4], ['chargeable', '4242']);
  assert.equal((await sdk.customers.update(id, { source: made.id })).default_source, made.id);
  assert.equal((await sdk.customers.deleteSource(id, made.id)).status, 'consumed');
});

check('a key sent again replays the answer', async () => {
  const sdk = client();
  const options = { idempotencyKey: 'the same' };
  const first = await sdk.customers.create({ name: 'Once' }, options);
  const second = await sdk.customers.create({ name: 'Once' }, options);
  assert.deepEqual(plain(second), plain(first));
  assert.equal(second.lastResponse.headers['idempotent-replayed'], 'true');
  assert.equal(second.lastResponse.idempotencyKey, 'the same');
  assert.equal((await sdk.customers.list()).data.length, 1);
  await expectError(errors.StripeIdempotencyError, sdk.customers.create({ name: 'Other' }, options));
  await expectError(errors.StripeIdempotencyError, sdk.customers.update(first.id, { name: 'Once' }, options));
});

check('the sdk sends a key of its own', async () => {
  const sdk = client();
  const made = await sdk.customers.create();
  const own = made.lastResponse.idempotencyKey;
  assert.match(own, /^stripe-node-retry-/);
  assert.equal((await sdk.events.list()).data[0].request.idempotency_key, own);
  assert.equal((await sdk.customers.create({}, { idempotencyKey: own })).id, made.id);
});

check('each kind of error is thrown as its class', async () => {
  const sdk = client();
  const { id } = await sdk.customers.create({ name: 'Before' });
  const refusals = [
    [{ name: 'After', nonsense: '1' }, 'parameter_unknown', 'nonsense'],
    [{ name: 'After', balance: 'many' }, 'parameter_invalid_integer', 'balance'],
    [{ name: 'After', tax_exempt: 'sometimes' }, undefined, 'tax_exempt'],
    [{ name: 'After', shipping: { name: 'Jenny' } }, 'parameter_missing', 'shipping[address]'],
  ];
  for (const [params, code, param] of refusals) {
    const error = await expectError(errors.StripeInvalidRequestError, sdk.customers.update(id, params));
    assert.deepEqual([error.statusCode, error.rawType, error.code, error.param], [400, 'invalid_request_error', code, param]);
    assert.match(error.requestId, /^req_/);
  }
  assert.equal((await sdk.customers.retrieve(id)).name, 'Before');

  const missing = await expectError(errors.StripeInvalidRequestError, sdk.customers.retrieve('cus_none'));
  assert.deepEqual([missing.statusCode, missing.code], [404, 'resource_missing']);

  const wrongKey = await expectError(errors.StripeAuthenticationError, client({ key: 'sk_live_wrong' }).customers.list());
  assert.equal(wrongKey.statusCode, 401);
  const publishable = client({ key: process.env.CUSP_PUBLISHABLE_KEY, url: CUSP_SERVE_URL });
  const barred = await expectError(errors.StripeAuthenticationError, publishable.customers.list());
  assert.equal(barred.code, 'secret_key_required');

  const reader = client({ key: process.env.CUSP_READ_ONLY_KEY, url: CUSP_SERVE_URL });
  const forbidden = await expectError(errors.StripePermissionError, reader.customers.create({ name: 'x' }));
  assert.equal(forbidden.statusCode, 403);

  const limited = client({ url: CUSP_LIMITED_URL, maxNetworkRetries: 0 });
  const hurry = async () => {
    for (let number = 0; number < 20; number++) await limited.customers.list();
  };
  const tooMany = await expectError(errors.StripeRateLimitError, hurry());
  assert.deepEqual([tooMany.statusCode, tooMany.code], [429, 'rate_limit']);

  const nobody = client({ url: 'http://127.0.0.1:1', maxNetworkRetries: 0 });
  await expectError(errors.StripeConnectionError, nobody.customers.list());
});

check('a connected account is a space of its own', async () => {
  const sdk = client();
  const connected = { stripeAccount: 'acct_connected' };
  const mine = await sdk.customers.create({ name: 'Mine' });
  const theirs = await sdk.customers.create({ name: 'Theirs' }, connected);
  assert.deepEqual(ids((await sdk.customers.list()).data), [mine.id]);
  assert.deepEqual(ids((await sdk.customers.list({}, connected)).data), [theirs.id]);
  const error = await expectError(errors.StripeInvalidRequestError, sdk.customers.retrieve(mine.id, {}, connected));
  assert.equal(error.code, 'resource_missing');
  const serving = client({ key: process.env.CUSP_SECRET_KEY, url: CUSP_SERVE_URL });
  const linked = { stripeAccount: process.env.CUSP_LINKED_ACCOUNT };
  const made = await serving.customers.create({ name: 'Linked' }, linked);
  assert.equal((await serving.customers.retrieve(made.id, {}, linked)).name, 'Linked');
  await expectError(errors.StripePermissionError, serving.customers.list({}, { stripeAccount: 'acct_unlinked' }));
});

check('a version is spoken as it was', async () => {
  const sdk = client();
  const made = await sdk.customers.create({ balance: -5, business_name: 'Rosen' });
  assert.equal(made.lastResponse.apiVersion, Stripe.API_VERSION);
  const old = await sdk.customers.retrieve(made.id, {}, { apiVersion: '2019-02-19' });
  assert.equal(old.account_balance, -5);
  assert.ok(!('balance' in old) && !('business_name' in old));
  assert.equal(old.sources.object, 'list');
  await sdk.customers.update(made.id, { account_balance: -7 }, { apiVersion: '2019-02-19' });
  assert.equal((await sdk.customers.retrieve(made.id)).balance, -7);
  const pinned = client({ apiVersion: '2024-06-20' });
  const error = await expectError(errors.StripeInvalidRequestError, pinned.customers.create({ business_name: 'Rosen' }));
  assert.equal(error.code, 'parameter_unknown');
});

// A receiver of webhooks, as an application has one: it keeps bodies and signatures as they came.
async function receiver() {
  const came = [];
  const waiting = [];
  const server = http.createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    response.end();
    const hit = { body: Buffer.concat(parts), signature: request.headers['stripe-signature'] };
    const next = waiting.shift();
    if (next) next(hit);
    else came.push(hit);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const next = () => (came.length ? came.shift() : new Promise((told) => waiting.push(told)));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}/webhooks`, next, close };
}

check('webhooks are verified', async () => {
  const key = `sk_test_node${randomUUID().replaceAll('-', '')}`;
  const sdk = client({ key });
  const hook = await receiver();
  try {
    const { constructEvent } = sdk.webhooks;
    const construct = (...given) => constructEvent.call(sdk.webhooks, ...given);
    const refused = (...given) =>
      assert.throws(() => construct(...given), (error) => error instanceof errors.StripeSignatureVerificationError);
    const made = await sdk.webhookEndpoints.create({ url: hook.url, enabled_events: ['customer.created'] });
    const customer = await sdk.customers.create({ name: 'Zoë' });
    const first = await hook.next();
    const event = construct(first.body, first.signature, made.secret);
    assert.deepEqual([event.type, event.data.object.id, event.data.object.name], ['customer.created', customer.id, 'Zoë']);
    const later = await sdk.webhooks.constructEventAsync(first.body.toString(), first.signature, made.secret);
    assert.equal(later.id, event.id);
    assert.equal((await sdk.events.retrieve(event.id)).data.object.id, customer.id);
    refused(first.body.toString().replace('Zoë', 'Zoe'), first.signature, made.secret);
    refused(first.body, first.signature.replace('t=', 't=1'), made.secret);
    refused(first.body, first.signature, 'whsec_other');

    // While a secret is being replaced, both of them hold.
    // Stripe's API has no words for it, so that no SDK can ask for it.
    const roll = async (overlap) => {
      const reply = await fetch(`${CUSP_URL}/cusp/v1/webhook_endpoints/${made.id}/roll_secret`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ overlap_seconds: overlap }),
      });
      return reply.json();
    };
    const rolled = await roll(3600);
    assert.notEqual(rolled.secret, made.secret);
    await sdk.customers.create({ name: 'Jenny' });
    const second = await hook.next();
    for (const secret of [made.secret, rolled.secret]) {
      assert.equal(construct(second.body, second.signature, secret).data.object.name, 'Jenny');
      refused(second.body.toString().replace('Jenny', 'Benny'), second.signature, secret);
    }

    // And once the former one has ended, it does not.
    const last = await roll(0);
    await sdk.customers.create({ name: 'Joan' });
    const third = await hook.next();
    assert.equal(construct(third.body, third.signature, last.secret).data.object.name, 'Joan');
    for (const secret of [made.secret, rolled.secret]) refused(third.body, third.signature, secret);
  } finally {
    hook.close();
  }
});

async function main() {
  let broken = 0;
  for (const { name, run } of checks) {
    try {
      await run();
      console.log(`holds   ${name}`);
    } catch (error) {
      broken += 1;
      console.log(`BROKEN  ${name}\n${error.stack}`);
    }
  }
  console.log(`stripe-node ${Stripe.PACKAGE_VERSION}: ${checks.length - broken} of ${checks.length} checks hold`);
  process.exitCode = broken ? 1 : 0;
}

main();
