// Small comforts on top of plain HTML: no double sending, news without reloading by hand, focus where it helps.
"use strict";
(() => {
  const EVERY = 3000;
  let sending = false;
  let leaving = false;

  document.addEventListener("submit", (event) => {
    if (sending) {
      event.preventDefault();
      return;
    }
    if ("file" in event.target.dataset) return; // answered with a file: the page stays, and can be used again
    sending = true;
    try { sessionStorage.setItem("sent", "1"); } catch { /* storage is off: focus stays where the browser puts it */ }
    setTimeout(() => { sending = false; }, 5000);
  });
  window.addEventListener("pageshow", () => { sending = false; });

  const afterSending = () => {
    try {
      const sent = sessionStorage.getItem("sent");
      sessionStorage.removeItem("sent");
      return sent;
    } catch { return null; }
  };
  const title = document.getElementById("title");
  if (afterSending() && title && !document.querySelector(".notice")) title.focus();

  for (const button of document.querySelectorAll("[data-copies]")) {
    if (!navigator.clipboard) continue; // without it the text can still be marked and copied by hand
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).value);
      button.textContent = button.dataset.done;
    });
  }

  const typed = () => [...document.querySelectorAll("input:not([type=hidden]), textarea")].some((field) => field.value);
  const busy = () => sending || document.hidden || typed();

  const look = async () => {
    if (busy()) return;
    try {
      const answer = await fetch(document.body.dataset.ask, { credentials: "same-origin" });
      if (!answer.ok) return;
      const { version } = await answer.json();
      if (!version || version === document.body.dataset.version || busy()) return;
      leaving = true;
      location.replace(location.pathname);
    } catch { /* offline for a moment: the page stays as it is */ }
  };
  document.addEventListener("input", () => { if (leaving) window.stop(); }); // what is typed just then is not lost
  const locks = Number(document.body.dataset.locks);  // names stand on no screen that nobody uses
  if (locks) setTimeout(() => location.replace(location.pathname + location.search), (locks + 2) * 1000);
  if (document.body.dataset.ask) setInterval(look, EVERY);
})();
