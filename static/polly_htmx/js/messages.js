// What HTML and htmx leave over beside messages: copying, the keys of forms that stand
// in a message, and the focus when what had it is swapped. One listener for all.
(() => {
  const SHOWN = 2000; // Milliseconds for which a button says that it has copied.
  const chatOf = (node) => node?.closest?.("[data-polly-copied]");
  const on = (names, act) => {
    for (const name of names.split(" ")) document.addEventListener(name, act, true);
  };

  async function copy(button) {
    const { dataset } = chatOf(button);
    const url = button.dataset.pollyCopy;
    const words = url
      ? fetch(url, { redirect: "error" }).then((response) => (response.ok ? response.text() : Promise.reject(response)))
      : Promise.resolve(button.nextElementSibling.textContent);
    const blob = words.then((text) => new Blob([text], { type: "text/plain" }));
    let told = dataset.pollyCopied;
    try {
      // With a promise in it: some browsers forget the click while we fetch.
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    } catch {
      told = dataset.pollyUncopied;
    }
    button.textContent = told;
    setTimeout(() => { button.textContent = dataset.pollyCopy; }, SHOWN);
    const status = chatOf(button)?.querySelector("[role=status]");
    if (status) status.textContent = told;
  }

  // Code that is still being written has none: it would go with the next piece.
  function dress() {
    if (!navigator.clipboard) return; // As on a page that came over plain http.
    for (const code of document.querySelectorAll("[data-polly-copied] .polly-code:not(.polly-code__copy + *)")) {
      if (code.closest(".polly-tail")) continue;
      const button = document.createElement("button");
      const { pollyCopy, pollyCopyCode } = chatOf(code).dataset;
      Object.assign(button, { type: "button", textContent: pollyCopy, ariaLabel: pollyCopyCode });
      button.className = "polly-button polly-button--quiet polly-code__copy";
      button.dataset.pollyCopy = "";
      code.before(button);
    }
  }

  function end(form) {
    form.remove();
    document.getElementById(form.dataset.pollyEdit)?.focus();
  }

  on("click", (event) => {
    const button = event.target.closest?.("[data-polly-copy]");
    const form = event.target.closest?.("[data-polly-cancel]")?.closest("article [data-polly-edit]");
    if (button && chatOf(button) !== button) {
      event.preventDefault();
      if (navigator.clipboard) copy(button);
      else window.open(button.dataset.pollyCopy);
    } else if (form) {
      event.preventDefault();
      end(form);
    }
  });

  on("keydown", (event) => {
    const form = event.target.closest?.("article [data-polly-edit]");
    if (!form || event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape") end(form);
    if (event.key !== "Enter" || event.shiftKey || !event.target.matches("textarea")) return;
    event.preventDefault();
    if (!event.repeat) form.requestSubmit();
  });

  let held;
  on("htmx:wsBeforeMessage htmx:before:ws:message htmx:beforeSwap htmx:before:swap", () => {
    const at = document.activeElement;
    const opener = at.closest("[data-polly-edit]")?.dataset.pollyEdit;
    held = { id: opener ?? at.id, chat: chatOf(at) };
  });
  // After whoever watches the log, and knows better.
  on("htmx:wsAfterMessage htmx:after:ws:message htmx:afterSwap htmx:after:swap", () => queueMicrotask(() => {
    if (!held?.chat || document.activeElement !== document.body) return;
    const again = held.id && document.getElementById(held.id);
    (again || held.chat.querySelector("textarea"))?.focus({ preventScroll: true });
  }));

  dress();
  new MutationObserver(dress).observe(document, { childList: true, subtree: true });
})();
