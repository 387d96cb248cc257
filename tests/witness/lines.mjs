// What the witnesses share: a task on the first line of standard input, one JSON object a line both ways after it.
import readline from "node:readline";

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
export const passed = [];

export async function receive() {
  const { value, done } = await lines.next();
  if (done) throw new Error("standard input ended");
  return JSON.parse(value);
}

// Sends the person's browser to an address; the answer is where the browser ended.
export async function visit(url, more = {}) {
  console.log(JSON.stringify({ visit: String(url), ...more }));
  return new URL((await receive()).landed);
}

export async function step(name, work) {
  try {
    const result = await work();
    passed.push(name);
    return result;
  } catch (error) {
    console.error(`${name}: ${error.stack ?? error}`);
    if (error.cause) console.error(error.cause);
    process.exit(1);
  }
}

export function finish() {
  console.log(JSON.stringify({ passed }));
  process.exit(0);
}
