// A suite that tests code which keeps its customers at Stripe, against Cusp.

const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { start, sandbox } = require("./cusp");

let server, stripe, cusp;
beforeAll(async () => (server = await start()));
afterAll(() => server.stop());
// The name of the test is the name of its sandbox: tests never meet, also when they run at the same time.
beforeEach(() => ({ stripe, cusp } = sandbox(server.url, expect.getState().currentTestName)));

test("the official client works", async () => {
  const made = await stripe.customers.create({ name: "Ada", email: "ada@example.com" });
  const found = await stripe.customers.search({ query: "email:'ada@example.com'" });
  expect(found.data.map((customer) => customer.id)).toEqual([made.id]);
});

test("known customers come in with their ids", async () => {
  const known = fs.readFileSync(path.join(__dirname, "../known.jsonl"), "utf8");
  await cusp("POST", "/cusp/v1/fixtures", known, "application/x-ndjson");
  expect(await stripe.customers.retrieve("cus_ada")).toMatchObject({ balance: -500, default_source: "card_ada" });
});

test("ids come again after a wipe", async () => {
  const first = await stripe.customers.create({ name: "Ada" });
  await cusp("DELETE", "/cusp/v1/sandbox");
  expect((await stripe.customers.list()).data).toEqual([]);
  expect((await stripe.customers.create({ name: "Ada" })).id).toBe(first.id);
});

test("a state is kept and put back", async () => {
  const ada = await stripe.customers.create({ name: "Ada" });
  const { id } = await cusp("POST", "/cusp/v1/sandbox/snapshots", { name: "with Ada" });
  await stripe.customers.del(ada.id);
  await cusp("POST", `/cusp/v1/sandbox/snapshots/${id}/restore`);
  expect((await stripe.customers.retrieve(ada.id)).name).toBe("Ada");
});

test("a lost answer makes no second customer", async () => {
  await cusp("POST", "/cusp/v1/failures", { fail: "disconnect_after_commit", method: "POST" });
  await stripe.customers.create({ name: "Ada" }); // the client tries again, with the same idempotency key
  expect((await stripe.customers.list()).data).toHaveLength(1);
});

test("a declined card", async () => {
  const ada = await stripe.customers.create({ name: "Ada" });
  await cusp("POST", "/cusp/v1/failures", { fail: "decline", decline_code: "insufficient_funds" });
  const attached = stripe.paymentMethods.attach("pm_card_visa", { customer: ada.id });
  await expect(attached).rejects.toMatchObject({ type: "StripeCardError", decline_code: "insufficient_funds" });
});

test("a webhook arrives and is signed", async () => {
  const receiver = http.createServer();
  await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const came = new Promise((resolve) =>
    receiver.once("request", async (request, response) => {
      const body = Buffer.concat(await request.toArray());
      response.end();
      resolve({ body, signature: request.headers["stripe-signature"] });
    }),
  );
  const url = `http://127.0.0.1:${receiver.address().port}/webhooks`;
  const endpoint = await stripe.webhookEndpoints.create({ url, enabled_events: ["customer.created"] });
  const ada = await stripe.customers.create({ name: "Ada" });
  const { body, signature } = await came;
  receiver.closeAllConnections();
  receiver.close();
  const event = stripe.webhooks.constructEvent(body, signature, endpoint.secret);
  expect(event).toMatchObject({ type: "customer.created", data: { object: { id: ada.id } } });
});
