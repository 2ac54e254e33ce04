"use strict";
const at = (id) => document.getElementById(id);
const MOST_LINES = 200;

/* Each picture is requested when the previous one has arrived: a slow connection shows fewer, never old ones. */
let after = 0;
let shown = "";
async function pictures() {
  for (;;) {
    try {
      const answer = await fetch(`frame.jpg?after=${after}`);
      if (answer.status === 200) {
        after = Number(answer.headers.get("X-Frame"));
        const url = URL.createObjectURL(await answer.blob());
        at("picture").src = url;
        if (shown) URL.revokeObjectURL(shown);
        shown = url;
      } else if (answer.status !== 204) {
        await rest(2000);
      }
    } catch {
      after = 0;
      await rest(2000);
    }
    /* A hidden page requests nothing. */
    while (document.hidden) await rest(500);
    await rest(40);
  }
}
const rest = (ms) => new Promise((done) => setTimeout(done, ms));

/* One group of bars for poses and one for movements; the elements are kept, so that bars can move. */
function bars(groups) {
  const box = at("bars");
  const names = Object.keys(groups);
  if (box.dataset.names !== names.join()) {
    box.dataset.names = names.join();
    box.replaceChildren(...names.map(group));
  }
  names.forEach((name, n) => fill(box.children[n].lastChild, groups[name]));
}

function group(name) {
  const made = document.createElement("div");
  const heading = document.createElement("h2");
  heading.textContent = name;
  made.append(heading, document.createElement("div"));
  return made;
}

function fill(box, probabilities) {
  const rows = [...box.children];
  probabilities.forEach(([label, probability], n) => {
    const row = rows[n] ?? box.appendChild(bar());
    row.children[0].textContent = label;
    row.children[1].textContent = `${(100 * probability).toFixed(0)} %`;
    row.children[2].value = probability;
  });
  rows.slice(probabilities.length).forEach((row) => row.remove());
}

function bar() {
  const row = document.createElement("div");
  row.className = "bar";
  const meter = document.createElement("progress");
  meter.max = 1;
  row.append(document.createElement("span"), document.createElement("output"), meter);
  return row;
}

function state(now) {
  at("label").textContent = now.label ?? "–";
  at("hand").textContent = now.hand ? `${now.hand} hand` : now.hands ? "" : "no hand";
  at("fps").textContent = now.fps.toFixed(1);
  at("latency").textContent = `${now.latency_ms.toFixed(0)} ms`;
  at("arming").hidden = now.armed === null;
  at("armed").textContent = now.armed ? "armed" : "not armed";
  problem(now.problem);
  bars(now.bars);
}

function problem(text) {
  at("problem").hidden = !text;
  at("problem").textContent = text ?? "";
}

function line(entry) {
  const row = document.createElement("li");
  row.className = entry.kind;
  const time = document.createElement("time");
  time.textContent = new Date(entry.at * 1000).toLocaleTimeString();
  const words = document.createElement("span");
  words.textContent = entry.text;
  row.append(time, words);
  if (entry.detail) {
    const small = document.createElement("small");
    small.textContent = entry.detail;
    row.append(small);
  }
  const log = at("log");
  log.prepend(row);
  while (log.children.length > MOST_LINES) log.lastChild.remove();
  at("empty").hidden = true;
}

const LOST = "Connection to handlore live lost; reconnecting …";
const RESTARTED = "handlore live was restarted and needs another token: open the address that it printed.";
let source;
let last = "";

function listen() {
  source = new EventSource(`events?after=${last}`);
  source.addEventListener("state", (message) => state(JSON.parse(message.data)));
  source.addEventListener("log", (message) => {
    last = message.lastEventId;
    line(JSON.parse(message.data));
  });
  source.addEventListener("error", lost);
}

async function lost() {
  /* A browser reconnects by itself after a lost connection, but not after a refused request. */
  if (source.readyState !== EventSource.CLOSED) return problem(LOST);
  const status = await fetch("page.css").then((answer) => answer.status, () => 0);
  problem(status === 401 ? RESTARTED : LOST);
  await rest(2000);
  listen();
}

listen();
pictures();
