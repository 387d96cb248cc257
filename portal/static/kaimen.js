// Comfort on top of pages that work without it: copy buttons, a live request log, remembered sample language.
"use strict";

(() => {
  const words = document.documentElement.dataset;

  for (const sample of document.querySelectorAll("[data-copy]")) {
    const source = sample.querySelector("code, .secret");
    if (!source || !navigator.clipboard) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button small copy";
    button.textContent = words.wordCopy;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = words.wordCopied;
      setTimeout(() => { button.textContent = words.wordCopy; }, 2000);
    });
    sample.append(button);
  }

  const remembered = localStorage.getItem("sample");
  for (const input of document.querySelectorAll(".tabs > input")) {
    if (input.value === remembered) input.checked = true;
    input.addEventListener("change", () => localStorage.setItem("sample", input.value));
  }

  for (const summary of document.querySelectorAll("[data-focus]")) summary.focus();

  // A decision is taken once: a second press, while the first is under way, changes nothing.
  for (const form of document.querySelectorAll("form[data-once]")) {
    let isSent = false;
    form.addEventListener("submit", (event) => {
      if (isSent) event.preventDefault();
      isSent = true;
    });
    addEventListener("pageshow", () => { isSent = false; });
  }

  // The log: fetch the same page and put its newest rows in place, as long as the tab is looked at.
  const log = document.querySelector("[data-live]");
  const toggle = document.querySelector("[data-live-toggle]");
  if (log && toggle) {
    toggle.hidden = false;
    const box = toggle.querySelector("input");
    const refresh = async () => {
      if (document.hidden || !box.checked || log.contains(document.activeElement)) return;
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
      if (!answer || !answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
      if (fresh && fresh.innerHTML !== log.innerHTML) log.replaceChildren(...fresh.childNodes);
    };
    setInterval(refresh, 3000);
  }
})();
