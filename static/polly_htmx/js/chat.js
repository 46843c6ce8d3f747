// What HTML and htmx leave over, in less than 4 KB. Its reasons: docs/architecture.md.
(() => {
  const NEAR = 48;
  const PATIENCE = 1500;
  const TELL = 1000;
  const SHOWN = 2000;
  const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable]";
  const chats = new WeakMap();
  const unfolded = new Set();
  let left = sessionStorage.pollyText ?? "";
  delete sessionStorage.pollyText;

  class Chat {
    following = true;
    top = 0;
    got = 0;

    constructor(root) {
      const find = (selector) => root.querySelector(selector);
      this.root = root;
      this.log = find(".polly-log");
      this.text = find(".polly-composer__text");
      this.button = find(".polly-composer__send");
      this.newest = find("[data-polly-newest]");
      this.count = find("[data-polly-count]");
      this.status = find("[role=status]");
      this.error = find(".polly-composer__error");
      this.log.addEventListener("scroll", () => this.look());
      const sizes = new ResizeObserver(() => this.follow());
      sizes.observe(this.log);
      sizes.observe(find(".polly-log__recent"));
      root.addEventListener("submit", (event) => event.submitter ?? event.stopPropagation());
      new MutationObserver((changes) => this.hold(changes)).observe(find(".polly-log__older"), { childList: true });
      this.log.addEventListener("focusin", ({ target }) => { this.seat = target; });
      if (left.startsWith(this.text.id)) this.text.value = left.slice(this.text.id.length);
      find("[data-polly-single]").checked = localStorage.pollySingle !== "0";
      this.typed();
    }

    look() {
      const { scrollTop, scrollHeight, clientHeight } = this.log;
      const near = scrollHeight - scrollTop - clientHeight < NEAR;
      if (near || scrollTop < this.top) this.following = near;
      this.top = scrollTop;
      this.below = scrollHeight - scrollTop;
      this.newest.hidden = this.following;
    }

    follow() {
      if (this.following) this.log.scrollTop = this.log.scrollHeight;
      this.look();
    }

    hold(changes) {
      this.log.scrollTop = this.log.scrollHeight - this.below;
      this.look();
      const added = changes.flatMap(({ addedNodes }) => [...addedNodes]).filter((node) => node.matches?.("article"));
      const last = added.at(-1);
      const gone = changes.some(({ removedNodes }) => [...removedNodes].includes(this.seat));
      if (!last || !gone || document.activeElement !== document.body) return;
      last.tabIndex = -1;
      last.focus({ preventScroll: true });
    }

    typed() {
      const { text, count } = this;
      const limit = +text.dataset.pollyLimit;
      const used = [...text.value].length;
      count.hidden = used < limit * 0.9;
      count.toggleAttribute("data-polly-over", used > limit);
      count.textContent = count.dataset.pollyCount.replace("(used)", used).replace("(limit)", limit);
      if (CSS.supports("field-sizing", "content")) return;
      text.style.blockSize = "auto";
      text.style.blockSize = `${text.scrollHeight}px`;
    }

    submit(event) {
      const { target, submitter } = event;
      const { nonce, action, target: meant } = target.elements;
      if (target !== this.text.form && !(submitter && action)) return;
      if (this.lost) {
        event.preventDefault();
        event.stopImmediatePropagation();
        this.say();
        return;
      }
      if (submitter?.name === "starter") this.text.value = submitter.value;
      this.error.textContent = "";
      this.following = true;
      if (!submitter?.id) this.text.focus();
      if (action) {
        action.value = submitter.dataset.pollyAction;
        meant.value = submitter.dataset.pollyTarget;
        return;
      }
      if (this.sent?.nonce === nonce.value && this.sent.text !== this.text.value) nonce.value += "-";
      this.sent = { nonce: nonce.value, text: this.text.value };
    }

    received() {
      this.got += 1;
      this.telling ??= setTimeout(() => this.tell(), TELL);
    }

    tell() {
      this.telling = null;
      const form = this.root.querySelector("[data-polly-act]");
      if (this.lost || !form) return;
      form.elements.action.value = "seen";
      form.elements.target.value = this.got;
      form.requestSubmit();
    }

    heard() {
      const foot = this.log.querySelector(".polly-log__recent > :last-child > [data-polly-status]");
      if (foot) foot.parentElement.dataset.status = foot.dataset.pollyStatus;
      const back = this.root.querySelector("[data-polly-back]");
      if (back?.dataset.pollyBack === "") {
        back.dataset.pollyBack = 1;
        if (!this.text.value) this.use(back);
      }
      const nonce = this.root.querySelector("[data-acked]");
      if (!this.sent || nonce?.dataset.acked !== this.sent.nonce) return;
      if (this.text.value === this.sent.text) this.text.value = "";
      this.sent = null;
      this.typed();
    }

    use(back) {
      const { text } = this;
      text.value = [text.value, back.textContent].filter(Boolean).join("\n\n");
      back.parentElement.replaceChildren();
      text.focus();
      text.dispatchEvent(new Event("input", { bubbles: true }));
    }

    refocus() {
      const was = this.focused;
      if (!was || was.isConnected || document.activeElement !== document.body) return;
      this.focused = null;
      if (was.closest("[data-polly-edit]")) return;
      (document.getElementById(was.id) ?? this.text).focus({ preventScroll: true });
    }

    wentDown() {
      this.lost ??= setTimeout(() => this.say(), PATIENCE);
    }

    cameUp() {
      clearTimeout(this.lost);
      this.lost = null;
      this.got = 0;
      this.doubt();
      if (!this.status.hasAttribute("data-polly-gone")) return;
      this.status.removeAttribute("data-polly-gone");
      this.status.textContent = this.status.dataset.pollyAgain;
    }

    doubt() {
      if (this.sent && !this.error.textContent) this.error.textContent = this.error.dataset.pollyUnsure;
    }

    say() {
      if (!this.root.querySelector(".polly-chat__line")) return;
      this.status.setAttribute("data-polly-gone", "");
      this.status.textContent = this.status.dataset.pollyLost;
    }
  }

  const chatOf = (node) =>
    chats.get(
      node === document.body
        ? document.querySelector(".polly-page--chat [data-polly-chat]")
        : node.closest?.("[data-polly-chat]"),
    );

  const listen = (names, act) => {
    for (const name of names.split(" ")) document.addEventListener(name, act, true);
  };

  const on = (names, act) => {
    listen(names, (event) => {
      const chat = chatOf(event.target);
      if (chat) act(chat, event);
    });
  };

  const look = () => {
    for (const root of document.querySelectorAll("[data-polly-chat]")) {
      if (!chats.has(root)) chats.set(root, new Chat(root));
      chats.get(root).heard();
      chats.get(root).refocus();
    }
    for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
    dress();
  };

  listen("submit", (event) => {
    const { submitter } = event;
    if (!submitter?.dataset.pollyAsk || !window.htmx) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    htmx.ajax(submitter.dataset.pollyAsk, submitter.formAction, { event, source: submitter }).catch(() => {}); // Told by htmx.
  });
  on("submit", (chat, event) => chat.submit(event));
  on("input", (chat) => chat.typed());
  on("focusin", (chat, { target }) => {
    chat.focused = target;
  });
  on("focusout", (chat, { target }) => {
    queueMicrotask(() => {
      const left = target.isConnected && target !== document.activeElement;
      if (left && target === chat.focused) chat.focused = null;
    });
  });
  on("change", (chat, { target }) => {
    if (target.matches("[data-polly-single]")) localStorage.pollySingle = +target.checked;
  });
  on("keydown", (chat, event) => {
    const { key, target } = event;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (key === "?" && plain && localStorage.pollySingle !== "0" && !target.matches(TYPING)) {
      chat.root.querySelector(".polly-keys").togglePopover();
    }
    const composing = event.isComposing || event.keyCode === 229;
    if (target !== chat.text || key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    if (chat.text.value && !event.repeat) chat.text.form?.requestSubmit(chat.button);
  });
  on("click", (chat, event) => {
    const { target } = event;
    if (event.detail > 1 && target.closest("[data-polly-action]")) event.preventDefault();
    if (target.matches("[data-polly-use]")) chat.use(target.previousElementSibling);
    if (target.matches(".polly-refused a")) sessionStorage.pollyText = chat.text.id + chat.text.value;
    const thoughts = target.closest(".polly-thoughts summary")?.parentElement;
    if (thoughts) unfolded[thoughts.open ? "delete" : "add"](thoughts.id);
    if (target !== chat.newest) return;
    chat.following = true;
    chat.follow();
    chat.log.focus();
  });
  on("htmx:wsOpen htmx:after:ws:connection", (chat) => chat.cameUp());
  on("htmx:wsAfterMessage htmx:after:ws:message", (chat) => chat.received());
  on("htmx:responseError htmx:sendError htmx:response:error htmx:error", (chat, event) => {
    if (event.target === chat.text.form) chat.doubt();
  });
  listen("htmx:wsClose htmx:ws:close", ({ target, detail }) => {
    if (!target.closest?.(".polly")) return;
    chatOf(target)?.wentDown();
    if (detail.event?.code < 1002) setTimeout(detail.socketWrapper.reconnect, PATIENCE);
  });

  const homeOf = (node) => node?.closest?.("[data-polly-copied]");
  async function copy(button) {
    const { dataset } = homeOf(button);
    const url = button.getAttribute("formaction");
    const words = url
      ? fetch(url, { redirect: "error" }).then((response) => (response.ok ? response.text() : Promise.reject()))
      : Promise.resolve(button.nextElementSibling.textContent);
    const blob = words.then((text) => new Blob([text], { type: "text/plain" }));
    let told = dataset.pollyCopied;
    try {
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    } catch {
      told = dataset.pollyUncopied;
    }
    button.textContent = told;
    setTimeout(() => { button.textContent = dataset.pollyCopy; }, SHOWN);
    const status = homeOf(button)?.querySelector("[role=status]");
    if (status) status.textContent = told;
  }

  function dress() {
    if (!navigator.clipboard) return;
    for (const code of document.querySelectorAll("[data-polly-copied] .polly-code:not(.polly-code__copy + *)")) {
      if (code.closest(".polly-tail")) continue;
      const button = document.createElement("button");
      const { pollyCopy: textContent, pollyCopyCode: ariaLabel } = homeOf(code).dataset;
      const className = "polly-button polly-button--quiet polly-code__copy";
      Object.assign(button, { className, textContent, ariaLabel, type: "button" });
      button.dataset.pollyCopy = "";
      code.before(button);
    }
  }

  function end(form) {
    form.remove();
    document.getElementById(form.dataset.pollyEdit)?.focus();
  }

  listen("click", (event) => {
    const button = event.target.closest?.("[data-polly-copy]");
    const form = event.target.closest?.("[data-polly-cancel]")?.closest("article [data-polly-edit]");
    if (button && homeOf(button) !== button) {
      event.preventDefault();
      if (navigator.clipboard) copy(button);
      else window.open(button.formAction);
    } else if (form) {
      event.preventDefault();
      end(form);
    }
  });

  listen("keydown", (event) => {
    const form = event.target.closest?.("article [data-polly-edit]");
    if (!form || event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape") end(form);
    if (event.key !== "Enter" || event.shiftKey || !event.target.matches("textarea")) return;
    event.preventDefault();
    if (!event.repeat) form.requestSubmit();
  });

  let held;
  listen("htmx:wsBeforeMessage htmx:before:ws:message htmx:beforeSwap htmx:before:swap", () => {
    const at = document.activeElement;
    const opener = at.closest("[data-polly-edit]")?.dataset.pollyEdit;
    held = { id: opener ?? at.id, chat: homeOf(at) };
  });
  listen("htmx:wsAfterMessage htmx:after:ws:message htmx:afterSwap htmx:after:swap", () => queueMicrotask(() => {
    if (!held?.chat || document.activeElement !== document.body) return;
    const again = document.getElementById(held.id);
    (again || held.chat.querySelector("textarea"))?.focus({ preventScroll: true });
  }));

  listen("focusin", ({ target }) => {
    if (target.hasAttribute?.("data-polly-select")) target.select();
  });

  const config = window.htmx?.config;
  if (config?.wsReconnectDelay === "full-jitter")
    config.wsReconnectDelay = (tries) => Math.random() * 1000 * 2 ** Math.min(tries, 3);

  if (window.htmx?.version?.startsWith("4")) htmx.process(document.body);

  look();
  left = "";
  const attributeFilter = ["data-acked", "data-polly-status"];
  new MutationObserver(look).observe(document, { childList: true, subtree: true, attributeFilter });
})();
