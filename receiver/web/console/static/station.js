// The station: one held delivery after the other, by keyboard. The next ones are fetched ahead, with their pages, so
// that what is typed after Ctrl+Enter goes into the next one at once; what is typed before it is there is kept for it.
"use strict";

(() => {
  const AHEAD = 2;  // deliveries fetched before they are asked for
  const desk = document.getElementById("desk");
  const passed = new Set();  // ids that were published or put off here
  const sent = new Map();  // id → article, while its answer is awaited
  let current = null, fetching = false, exhausted = false, typed = [];

  const items = () => [...desk.querySelectorAll(".item")].filter((item) => item !== current);
  const doubts = () => [...current.querySelectorAll("[data-doubt]")];

  function say(text) {
    const line = document.createElement("p");
    line.textContent = text;
    document.getElementById("said").replaceChildren(line);
  }

  function parsed(html) {
    const template = document.createElement("template");
    template.innerHTML = html;  // of our own server, escaped there
    const item = template.content.querySelector(".item");
    prepare(item);
    return item;
  }

  function open() {
    current = items()[0] ?? null;
    document.getElementById("nothing").hidden = current !== null || !exhausted;
    if (current) {
      current.hidden = false;
      focus(doubts()[0] ?? current.querySelector("[name^='field.']") ?? current.querySelector("[data-publish]"));
      replay();
    }
    fill();
  }

  function focus(field) {
    field?.focus();
    field?.select?.();
  }

  // Put what was typed meanwhile where it belongs. It never publishes what nobody has seen.
  function replay() {
    const keys = typed;
    typed = [];
    for (const key of keys) {
      const field = document.activeElement;
      if (key === "Enter") confirmed(field);
      else if (field.setRangeText) field.setRangeText(key, field.selectionStart, field.selectionEnd, "end");
    }
  }

  function confirmed(field) {
    field.closest("tr")?.classList.add("confirmed");
    const fields = doubts();
    const next = fields.slice(fields.indexOf(field) + 1).find((each) => !each.closest(".confirmed"));
    if (next) focus(next);
    else current.querySelector("[data-publish]").focus();
  }

  async function fill() {
    if (fetching || exhausted || items().length >= AHEAD + (current ? 0 : 1)) return;
    fetching = true;
    try {
      const known = [...passed, ...[...desk.querySelectorAll(".item")].map((item) => item.dataset.id)];
      const query = known.slice(-150).map((id) => "not=" + encodeURIComponent(id)).join("&");
      const answer = await fetch(desk.dataset.next + "?" + query);
      if (answer.redirected) location.reload();  // the session has ended
      else if (answer.status === 200) desk.append(parsed(await answer.text()));
      else if (answer.status === 204) exhausted = true;
      else say("The next one could not be fetched (" + answer.status + ").");
    } catch {
      say("The next one could not be fetched: the console is away.");
      exhausted = true;
    }
    fetching = false;
    if (!current) open();
    else if (!exhausted) fill();
  }

  function publish() {
    const item = current;
    const form = item.querySelector("form");
    passed.add(item.dataset.id);
    sent.set(item.dataset.id, item);
    item.remove();
    send(item, form.dataset.station, new URLSearchParams(new FormData(form)));
    open();
  }

  async function send(item, url, body) {
    const name = item.dataset.name;
    try {
      const answer = await fetch(url, { method: "POST", body, keepalive: true });
      if (answer.redirected) { back(item); location.reload(); }
      else if (answer.status === 204) published(name);
      else if (answer.status === 202) say(name + " is proposed: a second person publishes it.");
      else if (answer.status === 200) refused(name, parsed(await answer.text()));
      else if (answer.status === 409) say(name + ": somebody else was faster, or it came again.");
      else { back(item); say(name + " comes back: it could not be published (" + answer.status + ")."); }
    } catch {
      back(item);
      say(name + " comes back: the console is away.");
    }
    sent.delete(item.dataset.id);
  }

  function published(name) {
    const waiting = document.getElementById("waiting");
    waiting.textContent = Math.max(Number(waiting.textContent) - 1, 0);
    say(name + " is published.");
  }

  function refused(name, item) {
    back(item);
    say(name + " comes back: " + item.querySelector("[role='alert']").textContent);
  }

  // Next comes what came back, with what the person has typed.
  function back(item) {
    item.hidden = true;
    passed.delete(item.dataset.id);
    if (current) current.after(item);
    else { desk.prepend(item); open(); }
  }

  function later() {
    passed.add(current.dataset.id);
    current.remove();
    open();
  }

  document.addEventListener("keydown", (event) => {
    const publishes = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (document.querySelector("dialog[open]")) return;
    if (!current) {
      if (publishes || exhausted || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key.length === 1 || event.key === "Enter") { typed.push(event.key); event.preventDefault(); }
      return;
    }
    if (publishes) {
      event.preventDefault();
      if (!event.repeat) publish();  // a key that is held down publishes one
    } else if (event.key === "ArrowDown" && event.ctrlKey) {
      event.preventDefault();
      later();
    } else if (event.key === "Enter" && !event.shiftKey && event.target.closest(".item [name^='field.']")) {
      event.preventDefault();
      confirmed(event.target);
    }
  }, true);
  desk.addEventListener("submit", (event) => { event.preventDefault(); publish(); });
  desk.addEventListener("click", (event) => { if (event.target.closest("[data-later]")) later(); });
  addEventListener("beforeunload", (event) => { if (sent.size) event.preventDefault(); });
  open();
})();
