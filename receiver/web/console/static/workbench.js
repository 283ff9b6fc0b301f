// The workbench: line numbers beside the text, and a try half a second after the last key.
"use strict";

(() => {
  const PAUSE = 500;  // milliseconds after the last key
  const form = document.getElementById("draft");
  const text = form.querySelector("textarea");
  const gutter = form.querySelector(".gutter");
  const tried = document.getElementById("tried");
  const saved = text.value;
  let timer = 0, asking = null, leaving = false;

  function number(marked = new Map()) {
    const lines = text.value.split("\n").length;
    gutter.replaceChildren(...Array.from({ length: lines }, (_, index) => {
      const line = document.createElement("div");
      line.textContent = index + 1;
      if (marked.has(index + 1)) line.className = marked.get(index + 1);
      return line;
    }));
    gutter.scrollTop = text.scrollTop;
  }

  async function attempt() {
    asking?.abort();
    asking = new AbortController();
    try {
      const body = new URLSearchParams(new FormData(form));
      const answer = await fetch(form.dataset.try, { method: "POST", body, signal: asking.signal });
      if (answer.redirected) { tried.textContent = "The session has ended: log in in another tab, then go on."; return; }
      if (!answer.ok) { tried.textContent = "This could not be tried (" + answer.status + ")."; return; }
      tried.innerHTML = await answer.text();  // of our own server, escaped there
      const marked = new Map();
      for (const each of tried.querySelectorAll("[data-line]")) marked.set(Number(each.dataset.line), each.closest("li").className);
      number(marked);
    } catch (error) {
      if (error.name !== "AbortError") tried.textContent = "This could not be tried: the console is away.";
    }
  }

  function go(line) {
    const before = text.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    const end = text.value.indexOf("\n", before);
    text.focus();
    text.setSelectionRange(before, end < 0 ? text.value.length : end);
    text.scrollTop = (line - 5) * (text.scrollHeight / text.value.split("\n").length);
  }

  text.addEventListener("input", () => {
    number();
    clearTimeout(timer);
    timer = setTimeout(attempt, PAUSE);
  });
  text.addEventListener("scroll", () => { gutter.scrollTop = text.scrollTop; });
  form.querySelector("select").addEventListener("change", attempt);
  form.addEventListener("submit", () => { leaving = true; });
  form.addEventListener("keydown", (event) => {
    if (event.key === "s" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.querySelector("button:not([type])")?.click();
    }
  });
  tried.addEventListener("click", (event) => {
    const line = event.target.closest("[data-line]");
    if (line) go(Number(line.dataset.line));
  });
  addEventListener("beforeunload", (event) => { if (text.value !== saved && !leaving) event.preventDefault(); });
  number();
  attempt();
})();
