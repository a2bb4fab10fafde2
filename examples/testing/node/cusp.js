// One server for the test file, and a sandbox of its own for every test.

const { spawn } = require("node:child_process");
const readline = require("node:readline");
const Stripe = require("stripe");

/** Starts the server on a free port; the first line that it prints says which. */
async function start() {
  const options = ["dev", "--ephemeral", "--seed", "7", "--listen", "127.0.0.1:0", "--log-level", "warn"];
  const child = spawn(process.env.CUSP || "cusp", options, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = readline.createInterface({ input: child.stdout });
  const url = await new Promise((resolve, reject) => {
    lines.once("line", (line) => resolve(line.replace("listening on ", "").trim()));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`cusp ended with ${code}`)));
  });
  const stop = () => new Promise((resolve) => child.once("exit", resolve) && child.kill());
  return { url, stop };
}

/** What a test has: the official client, and Cusp's own API under /cusp/v1. */
function sandbox(url, name) {
  const key = "sk_test_" + name.replace(/\W/g, "-");
  const { hostname: host, port } = new URL(url);
  const stripe = new Stripe(key, { host, port, protocol: "http", maxNetworkRetries: 2 });
  const cusp = async (method, path, body, type = "application/json") => {
    const headers = { Authorization: `Bearer ${key}`, ...(body && { "Content-Type": type }) };
    const reply = await fetch(url + path, { method, headers, body: typeof body === "object" ? JSON.stringify(body) : body });
    if (!reply.ok) throw new Error(await reply.text());
    return reply.json();
  };
  return { stripe, cusp };
}

module.exports = { start, sandbox };
