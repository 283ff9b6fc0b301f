// Keys, pages of documents, and moments in the reader's own way. Everything works without, but for these.
"use strict";

for (const time of document.querySelectorAll("time")) {
  const moment = new Date(time.dateTime);
  if (!isNaN(moment)) {
    time.textContent = moment.toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium" });
    time.title = time.dateTime;
  }
}

const SIZES = ["", "w150", "w200", "w300"];
const TURNS = ["", "t90", "t180", "t270"];

function viewer(figure) {
  const image = figure.querySelector("img");
  const shown = figure.querySelector("[data-page]");
  const base = figure.dataset.pages;
  let page = 1, last = Infinity, size = 0, turn = 0;
  image.addEventListener("error", () => {
    if (page > 1) { last = page - 1; show(last); }
  });
  function show(number) {
    page = Math.min(Math.max(number, 1), last);
    image.src = base.replace(/1\.png$/, page + ".png");
    image.alt = image.alt.replace(/^Page \d+/, "Page " + page);
    shown.textContent = page;
  }
  function look() {
    image.className = [SIZES[size], TURNS[turn]].join(" ").trim();
  }
  return {
    next: () => show(page + 1),
    previous: () => show(page - 1),
    larger: () => { size = Math.min(size + 1, SIZES.length - 1); look(); },
    smaller: () => { size = Math.max(size - 1, 0); look(); },
    turn: () => { turn = (turn + 1) % TURNS.length; look(); },
  };
}

const viewers = [...document.querySelectorAll(".viewer")].map((figure) => {
  const does = viewer(figure);
  for (const button of figure.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => does[button.dataset.do]());
  }
  return does;
});

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
  n: () => viewers[0]?.next(),
  p: () => viewers[0]?.previous(),
  "+": () => viewers[0]?.larger(),
  "-": () => viewers[0]?.smaller(),
  r: () => viewers[0]?.turn(),
  "/": () => document.getElementById("search")?.focus(),
  "?": () => document.getElementById("keys").showModal(),
};
document.querySelector("[data-doubt]")?.focus();
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.ctrlKey) {
    document.querySelector(".fields")?.closest("form").requestSubmit();
    return;
  }
  const typing = event.target.closest("input, textarea, select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});
