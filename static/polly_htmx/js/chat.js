// What HTML and htmx leave over in a chat: keys, focus, scrolling, the counter, clearing
// what has arrived, the buttons of answers, and the state of the line. Serves any number
// of chats, also those that come later, under htmx 2 and htmx 4.
(() => {
  const NEAR = 48; // Pixels from the end of the log that still count as the end.
  const PATIENCE = 1500; // Milliseconds without a line before the page says so.
  const TELL = 1000; // Milliseconds at least between two acknowledgements.
  const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable]";
  const chats = new WeakMap();
  const unfolded = new Set(); // Thoughts by id: they stay open where they are shown anew.

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
      // What tell() sends is no business of the page around.
      root.addEventListener("submit", (event) => event.submitter ?? event.stopPropagation());
      new MutationObserver((changes) => this.hold(changes)).observe(find(".polly-log__older"), { childList: true });
      this.log.addEventListener("focusin", ({ target }) => { this.seat = target; });
      const id = this.text.id;
      this.text.value = sessionStorage.getItem(id) ?? this.text.value; // See click.
      sessionStorage.removeItem(id);
      find("[data-polly-single]").checked = localStorage.pollySingle !== "0";
      this.typed();
    }

    // Only the reader's own way up ends it: content may grow between scroll and event.
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

    // Earlier messages came in above: keep the place, and the focus near it.
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
      // Others go their own way, and so does what tell() sends.
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
      // The button may go with the next frame; one with an id is found again.
      if (!submitter?.id) this.text.focus();
      if (action) {
        action.value = submitter.dataset.pollyAction;
        meant.value = submitter.dataset.pollyTarget;
        return;
      }
      // Another text is another message, also when nobody knows what became of the first.
      if (this.sent?.nonce === nonce.value && this.sent.text !== this.text.value) nonce.value += "-";
      this.sent = { nonce: nonce.value, text: this.text.value };
    }

    // How many frames have come: the server sees who does not keep up.
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

    // The text goes once the server has it, unless the person has typed on.
    heard() {
      // The end of a long answer comes without the article around it.
      const foot = this.log.querySelector(".polly-log__recent > :last-child > [data-polly-status]");
      if (foot) foot.parentElement.dataset.status = foot.dataset.pollyStatus;
      const back = this.root.querySelector("[data-polly-back]");
      if (back?.dataset.pollyBack === "") {
        back.dataset.pollyBack = 1; // Only once: later somebody may be typing.
        if (!this.text.value) this.use(back);
      }
      const nonce = this.root.querySelector("[data-acked]");
      if (!this.sent || nonce?.dataset.acked !== this.sent.nonce) return;
      if (this.text.value === this.sent.text) this.text.value = "";
      this.sent = null;
      this.typed();
    }

    // What was taken back out of the queue goes behind what is there.
    use(back) {
      const { text } = this;
      text.value = [text.value, back.textContent].filter(Boolean).join("\n\n");
      back.parentElement.replaceChildren();
      text.focus();
      text.dispatchEvent(new Event("input", { bubbles: true })); // So that it is kept.
    }

    // A swap may take away what has the focus: then its successor gets it.
    refocus() {
      const was = this.focused;
      if (!was || was.isConnected || document.activeElement !== document.body) return;
      this.focused = null;
      (document.getElementById(was.id) ?? this.text).focus({ preventScroll: true });
    }

    // A short gap is normal life: htmx 4 hangs up when the tab is hidden.
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

    // Nobody has confirmed or refused what was sent: the server may not have it.
    doubt() {
      if (this.sent && !this.error.textContent) this.error.textContent = this.error.dataset.pollyUnsure;
    }

    say() {
      if (!this.root.querySelector(".polly-chat__line")) return; // Refused, not lost.
      this.status.setAttribute("data-polly-gone", "");
      this.status.textContent = this.status.dataset.pollyLost;
    }
  }

  // On a page that is all chat, keys without a focus are the chat's.
  const chatOf = (node) =>
    chats.get(
      node === document.body
        ? document.querySelector(".polly-page--chat [data-polly-chat]")
        : node.closest?.("[data-polly-chat]"),
    );

  const on = (names, act) => {
    for (const name of names.split(" ")) {
      document.addEventListener(name, (event) => {
        const chat = chatOf(event.target);
        if (chat) act(chat, event);
      }, true);
    }
  };

  const look = () => {
    for (const root of document.querySelectorAll("[data-polly-chat]")) {
      if (!chats.has(root)) chats.set(root, new Chat(root));
      chats.get(root).heard();
      chats.get(root).refocus();
    }
    for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
  };

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
    // The second click of two would ask again for what the first has begun.
    const { target } = event;
    if (event.detail > 1 && target.closest("[data-polly-action]")) event.preventDefault();
    if (target.matches("[data-polly-use]")) chat.use(target.previousElementSibling);
    // Who signs in again finds what was typed meanwhile, which nobody could keep.
    if (target.matches(".polly-refused a")) sessionStorage.setItem(chat.text.id, chat.text.value);
    if (target !== chat.newest) return;
    chat.following = true;
    chat.follow();
    chat.log.focus();
  });
  on("click", (_chat, { target }) => {
    const thoughts = target.closest(".polly-thoughts summary")?.parentElement;
    if (thoughts) unfolded[thoughts.open ? "delete" : "add"](thoughts.id);
  });
  on("htmx:wsOpen htmx:after:ws:connection", (chat) => chat.cameUp());
  on("htmx:wsAfterMessage htmx:after:ws:message", (chat) => chat.received());
  on("htmx:responseError htmx:sendError htmx:response:error htmx:error", (chat, event) => {
    if (event.target === chat.text.form) chat.doubt();
  });
  on("htmx:wsClose htmx:ws:close", (chat, { detail }) => {
    chat.wentDown();
    // htmx 2 takes an orderly goodbye, as of a server that restarts, for the last word.
    if (detail.event?.code < 1002) setTimeout(detail.socketWrapper.reconnect, PATIENCE);
  });

  // Who renames most often writes anew.
  document.addEventListener("focusin", ({ target }) => {
    if (target.hasAttribute?.("data-polly-select")) target.select();
  });

  // htmx 4 may have read the page before its ws extension had arrived.
  if (window.htmx?.version?.startsWith("4")) htmx.process(document.body);

  look();
  // htmx settles the attributes of an element after its swap.
  const changes = { childList: true, subtree: true, attributeFilter: ["data-acked", "data-polly-status"] };
  new MutationObserver(look).observe(document, changes);
})();
