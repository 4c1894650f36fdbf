// Reads pictures with a FOTS-lite service; needs Node 18 or newer and nothing else. `read` runs in
// browsers as well.
//
// node read.mjs photo.jpg [more.png ...]
//
// Environment: FOTS_LITE_URL (default http://127.0.0.1:8000), FOTS_LITE_TOKEN.

const TRIES = 5;

// Returns the reading of a picture (a Blob): its lines with text, confidence and quad. A busy
// service (503) and a worker that was lost (502) are tried again.
export async function read(picture, { url = "http://127.0.0.1:8000", token, ...parameters } = {}) {
  const form = new FormData();
  form.append("image", picture, "picture");
  for (const [name, value] of Object.entries(parameters)) form.append(name, value);
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  for (let rest = TRIES - 1; ; rest--) {
    const answer = await fetch(`${url}/v1/read`, { method: "POST", body: form, headers });
    const value = await answer.json();
    if (answer.ok) return value.reading;
    if (![502, 503].includes(answer.status) || rest === 0) throw new Error(value.error.message);
    const seconds = Number(answer.headers.get("Retry-After") ?? 1);
    await new Promise((done) => setTimeout(done, 1000 * seconds));
  }
}

if (typeof process !== "undefined" && process.argv[1]?.endsWith("read.mjs")) {
  const { readFile } = await import("node:fs/promises");
  const options = { url: process.env.FOTS_LITE_URL, token: process.env.FOTS_LITE_TOKEN };
  for (const name of process.argv.slice(2)) {
    const { lines } = await read(new Blob([await readFile(name)]), options);
    for (const line of lines) console.log(line.text, line.confidence.toFixed(2));
  }
}
