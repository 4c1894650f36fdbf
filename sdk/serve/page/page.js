"use strict";
// Sends a picture to the service it came from, and shows the reading over it.

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
let picture = null; // the file that is shown
let reading = null;
let asked = 0; // answers to earlier questions are dropped
let address = null;

const level = (share) => (share >= 0.9 ? "good" : share >= 0.6 ? "fair" : "bad");
const percent = (share) => String(Math.round(100 * share));

function say(text, bad = false) {
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function take(file) {
  if (!file) return;
  picture = file;
  reading = null;
  $("result").hidden = true;
  $("again").disabled = false;
  if (address) URL.revokeObjectURL(address);
  address = URL.createObjectURL(file);
  read();
}

async function read() {
  if (!picture) return say("Choose a picture first.", true);
  const number = ++asked;
  const form = new FormData();
  form.append("image", picture, picture.name || "picture");
  const pattern = $("pattern").value.trim();
  if (pattern) form.append("pattern", pattern);
  const headers = { Accept: "application/json" };
  const token = sessionStorage.getItem("token");
  if (token) headers.Authorization = `Bearer ${token}`;
  say("Reading …");
  $("result").setAttribute("aria-busy", "true");
  try {
    const path = $("line").checked ? "v1/read-line" : "v1/read";
    const response = await fetch(path, { method: "POST", body: form, headers });
    const answer = await response.json();
    if (number !== asked) return;
    if (!response.ok) {
      refused(response.status, answer.error.message);
      return;
    }
    reading = answer.reading;
    await show();
  } catch (error) {
    if (number === asked) say(`The service does not answer: ${error.message}. Try again.`, true);
  } finally {
    if (number === asked) $("result").removeAttribute("aria-busy");
  }
}

function refused(status, message) {
  say(message, true);
  if (status === 401) {
    $("token-field").hidden = false;
    $("token").focus();
  }
}

async function show() {
  const image = $("image");
  image.src = address;
  try {
    await image.decode();
  } catch {
    // what this browser cannot show, such as PDF: boxes on an empty ground
    image.src = `data:image/svg+xml,${encodeURIComponent(
      `<svg xmlns="${SVG}" width="${reading.width}" height="${reading.height}"/>`)}`;
  }
  $("boxes").setAttribute("viewBox", `0 0 ${reading.width} ${reading.height}`);
  $("boxes").replaceChildren(...reading.lines.map(box));
  list();
  $("notes").replaceChildren(
    ...reading.notes.map((note) => element("li", { textContent: note.text })));
  $("result").hidden = false;
  $("copy").disabled = reading.lines.length === 0;
  const count = reading.lines.length;
  const lines = count === 1 ? "1 line" : count === 0 ? "No text" : `${count} lines`;
  say(`${lines} in ${Math.round(reading.timing.total_ms)} ms.`);
}

function box(line, index) {
  const made = document.createElementNS(SVG, "polygon");
  made.setAttribute("points", line.quad.map((point) => point.join(",")).join(" "));
  made.classList.add(level(line.confidence));
  made.addEventListener("pointerenter", () => mark(index));
  made.addEventListener("click", () => $("lines").children[index].firstChild.focus());
  return made;
}

function list() {
  const detailed = $("characters").checked;
  $("lines").replaceChildren(...reading.lines.map((line, index) => {
    const text = detailed ? characters(line) : element("span", { className: "text", textContent: line.text });
    const share = element("span", {
      className: "share",
      textContent: `${fit(line)}${percent(line.confidence)} %`,
    });
    const row = element("button", { type: "button", title: "Copy this line" }, text, share);
    row.addEventListener("focus", () => mark(index));
    row.addEventListener("pointerenter", () => mark(index));
    row.addEventListener("click", () => copy(line.text, "Copied the line."));
    return element("li", {}, row);
  }));
}

function characters(line) {
  return element("span", { className: "text chars" }, ...line.chars.map((char) =>
    element("span", { className: `char ${level(char.confidence)}` },
      char.text === " " ? "\u2423" : char.text,
      element("small", { textContent: percent(char.confidence) }))));
}

function fit(line) {
  if (line.pattern_ok === null) return "";
  return line.pattern_ok ? "fits · " : "does not fit · ";
}

function mark(index) {
  for (const group of [$("boxes").children, [...$("lines").children].map((row) => row.firstChild)]) {
    [...group].forEach((item, i) => item.classList.toggle("here", i === index));
  }
}

async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // without TLS browsers have no clipboard for scripts but this one
    const area = element("textarea", { value: text, readOnly: true });
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (!copied) return say("This browser does not let the page copy. Select the text.", true);
  }
  say(done);
}

for (const id of ["file", "camera"]) {
  $(id).addEventListener("change", (event) => {
    take(event.target.files[0]);
    event.target.value = ""; // the same file may be chosen again
  });
}
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = $("token").value.trim();
  if (token) sessionStorage.setItem("token", token);
  read();
});
$("characters").addEventListener("change", () => reading && list());
$("copy").addEventListener("click", () =>
  copy(reading.lines.map((line) => line.text).join("\n"), "Copied."));
document.addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((item) => item.type.startsWith("image/"));
  if (file) take(file);
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") take(event.dataTransfer.files[0]);
  });
}
