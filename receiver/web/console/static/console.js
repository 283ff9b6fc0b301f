// Keys, pages of documents, and moments in the reader's own way. Lists and forms work without.
"use strict";

const SIZES = ["", "w150", "w200", "w300"];
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const AGES = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const TURNS = ["", "t90", "t180", "t270"];

// Prepare what came into the page: its moments and its documents.
function prepare(root) {
  for (const time of root.querySelectorAll("time")) {
    const moment = new Date(time.dateTime);
    if (!isNaN(moment)) {
      const written = moment.toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium" });
      const alone = time.dataset.age === "alone";
      time.textContent = alone ? ago(moment) : written;
      time.title = alone ? written : time.dateTime;
      if (time.dataset.age === "beside") {
        const age = document.createElement("span");
        age.className = "quiet age";
        age.textContent = ago(moment);
        (time.closest("a") ?? time).after(age);
      }
    }
  }
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;  // over plain HTTP
  for (const figure of root.querySelectorAll(".viewer")) {
    figure.does = viewer(figure);
    for (const button of figure.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => figure.does[button.dataset.do]());
    }
    for (const button of figure.querySelectorAll("[data-go]")) {
      button.addEventListener("click", () => figure.does.show(Number(button.dataset.go)));
    }
  }
}

// How long ago a moment is, in the largest unit that it fills.
function ago(moment) {
  const seconds = (moment - Date.now()) / 1000;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS.at(-1);
  return AGES.format(Math.round(seconds / length), unit);
}

function viewer(figure) {
  const image = figure.querySelector(".sheet img");
  const sheet = figure.querySelector(".sheet");
  const marks = figure.querySelector(".marks");
  const shown = figure.querySelector("[data-page]");
  const base = figure.dataset.pages;
  let page = 1, last = Number(figure.dataset.count) || Infinity, size = 0, turn = 0, marked = null;
  image.addEventListener("load", draw);
  image.addEventListener("error", () => {
    if (page > 1) { last = page - 1; show(last); }
  });
  function show(number) {
    const wanted = Math.min(Math.max(number, 1), last);
    if (wanted === page) return;
    page = wanted;
    marks.replaceChildren();  // until the page is there
    image.src = base.replace(/1\.png$/, page + ".png");
    image.alt = image.alt.replace(/^Page \d+/, "Page " + page);
    shown.textContent = page;
    for (const each of figure.querySelectorAll("[data-go]")) each.ariaCurrent = String(Number(each.dataset.go) === page);
  }
  function look() {
    image.parentElement.className = ["paper", SIZES[size], TURNS[turn]].join(" ").trim();
    reveal();
  }
  function mark(found) {
    marked = found;
    if (found) show(found.page);
    if (image.complete) draw();
  }
  function draw() {
    marks.replaceChildren(...(marked?.page === page ? marked.boxes : []).map(rectangle));
    reveal();
  }
  // Scroll the page, and nothing else, to what is marked on it.
  function reveal() {
    const box = marks.firstElementChild?.getBoundingClientRect(), seen = sheet.getBoundingClientRect();
    if (!box) return;
    if (box.top < seen.top || box.bottom > seen.bottom) sheet.scrollTop += box.top - seen.top - seen.height / 3;
    if (box.left < seen.left || box.right > seen.right) sheet.scrollLeft += box.left - seen.left - seen.width / 3;
  }
  return {
    show,
    mark,
    next: () => show(page + 1),
    previous: () => show(page - 1),
    larger: () => { size = Math.min(size + 1, SIZES.length - 1); look(); },
    smaller: () => { size = Math.max(size - 1, 0); look(); },
    turn: () => { turn = (turn + 1) % TURNS.length; look(); },
  };
}

const AROUND = 0.006;  // fractions of a page left free around what is marked

function rectangle([left, top, right, bottom]) {
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const sides = { x: left - AROUND, y: top - AROUND, width: right - left + 2 * AROUND, height: bottom - top + 2 * AROUND };
  for (const [name, value] of Object.entries(sides)) rect.setAttribute(name, value);
  return rect;
}

// The document that is seen, if there is one.
function seen() {
  return document.querySelector(".item:not([hidden]) .viewer, main > .beside .viewer")?.does;
}

const rows = [...document.querySelectorAll(".list tbody tr")];
let at = -1;
function go(to) {
  if (!rows.length) return;
  if (at >= 0) rows[at].classList.remove("at");
  at = Math.min(Math.max(to, 0), rows.length - 1);
  rows[at].classList.add("at");
  rows[at].querySelector("a")?.focus();
}

const KEYS = {
  j: () => go(at + 1),
  k: () => go(at - 1),
  n: () => seen()?.next(),
  p: () => seen()?.previous(),
  "+": () => seen()?.larger(),
  "-": () => seen()?.smaller(),
  r: () => seen()?.turn(),
  "/": () => document.getElementById("search")?.focus(),
  "?": () => document.getElementById("keys").showModal(),
};
const WHILE_TYPING = {
  PageDown: () => seen().next(),
  PageUp: () => seen().previous(),
  "Alt+ArrowUp": () => seen().larger(),
  "Alt+ArrowDown": () => seen().smaller(),
  "Alt+r": () => seen().turn(),
};

prepare(document);
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented) return;
  if (event.key === "Enter" && event.ctrlKey) {
    document.querySelector("main > .beside .fields")?.closest("form").requestSubmit();
    return;
  }
  const typing = event.target.closest("input, textarea, select");
  const does = typing && seen() ? WHILE_TYPING[(event.altKey ? "Alt+" : "") + event.key] : null;
  if (does) {
    event.preventDefault();
    does();
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});

// Corrections that were typed are not lost unasked, nor is a delivery released or discarded without them.
const corrections = document.querySelector("main > .beside .fields")?.closest("form");
corrections?.addEventListener("submit", () => { corrections.sent = true; });
addEventListener("beforeunload", (event) => {
  const changed = [...(corrections?.elements ?? [])].some((field) => "defaultValue" in field && field.value !== field.defaultValue);
  if (changed && !corrections.sent) event.preventDefault();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = "copied";
});

// Where on its pages a field stands: the server knows, the page marks it, also while somebody goes from field to field.
// Returns the document that has it.
let asking = null;
async function locate(page, name) {
  asking?.abort();
  asking = new AbortController();
  try {
    const answer = await fetch(page.dataset.region, { method: "POST", body: new URLSearchParams({ name }), signal: asking.signal });
    if (!answer.ok || answer.redirected) return null;
    const found = await answer.json();
    const called = name.replace(/^\/tables\/.*\//, "");  // of a cell its column
    const figures = [...page.querySelectorAll(".viewer")];
    for (const [number, figure] of figures.entries()) {
      figure.does.mark(number === found.document ? found : null);
      figure.querySelector(".found").textContent = number === (found.document ?? 0) ? `${called}: ${found.said}` : "";
    }
    return figures[found.document] ?? null;
  } catch {
    return null;  // somebody has gone on to another field, or the console is away: nothing is marked
  }
}
document.addEventListener("focusin", (event) => {
  const field = event.target.closest("[name^='field.']");
  const page = field?.closest("[data-placed]");
  if (page) locate(page, field.name.slice("field.".length));
});

// Where in its records a field stands.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-place]");
  if (!button) return;
  const page = button.closest(".item, .beside");
  const locating = locate(page, button.dataset.place);
  const records = [...page.querySelectorAll("details[data-record]")];
  for (const each of records) each.querySelector("pre").textContent = each.querySelector("pre").textContent;
  const answer = await fetch(page.dataset.places, { method: "POST", body: new URLSearchParams({ name: button.dataset.place }) });
  if (!answer.ok || answer.redirected) return;
  const found = await answer.json();
  for (const each of records) marked(each, found.filter((place) => place.path === each.dataset.record));
  button.title = found.length ? "Where on the page, and in the record" : "It stands in no record, or cannot be told apart";
  (await locating ?? page.querySelector("mark"))?.scrollIntoView({ block: "nearest" });
});

function marked(record, places) {
  if (!places.length) return;
  record.open = true;
  const text = record.querySelector("pre");
  const lines = text.textContent.split("\n");
  text.replaceChildren(...lines.flatMap((line, number) => {
    const end = number < lines.length - 1 ? "\n" : "";
    const place = places.find((each) => each.line === number);
    if (!place) return [line + end];
    const mark = document.createElement("mark");
    mark.textContent = line.slice(place.start, place.end);
    return [line.slice(0, place.start), mark, line.slice(place.end) + end];
  }));
}

document.querySelector("main > .beside [data-doubt]")?.focus();
