// The cells of a case, worked through by keyboard. A verdict is shown at once and marked as saved once the
// server says so; until then it waits in this tab, also through a reload, and is sent again.
const KEYS = "leukemia-keys", AGAIN = 3000, LONGEST = 24000, NAME_FIRST = "Enter your name above first: it is kept with your verdicts.";
const places = new Map();

class Review {
  constructor(number) {
    this.waitsIn = `leukemia-waiting-${number}`;
    this.pending = stored(sessionStorage, this.waitsIn, []);
    this.keys = { ...Object.fromEntries(ACTIONS.map(([name, key]) => [name, key])), ...stored(localStorage, KEYS, {}) };
    Object.assign(this, { at: null, anchor: null, picked: new Set(), order: [], numbers: "", cards: new Map() });
    Object.assign(this, { sort: Object.keys(SORTS)[0], show: Object.keys(SHOWN)[0], tries: 0, sent: 0, wait: AGAIN, error: "" });
    // Each time without an answer the wait doubles: what is sent stops a page that is being laid out anew.
    setInterval(() => {
      if (!this.pending.length || !this.root?.host?.isConnected || Date.now() - this.sent < this.wait) return;
      // A page that a restart of the server left behind is loaded anew: what waits is sent from there.
      if (this.wait === LONGEST) fetch("/_stcore/health").then((answer) => answer.ok && location.reload(), () => {});
      this.wait = Math.min(2 * this.wait, LONGEST);
      this.send();
    }, AGAIN / 3);
    // A key that nothing else takes is for the grid: also after a window over the page was closed.
    addEventListener("keydown", (event) => {
      const free = [document.body, null].includes(document.activeElement) && !document.querySelector('[role="dialog"]');
      if (!free || !this.root?.host?.isConnected) return;
      this.get(".cells").focus({ preventScroll: true });
      this.onKey(event);
    }, true);
    addEventListener("leukemia-pictures", () => this.paintSoon());
    addEventListener("leukemia-news", () => { if (this.root?.host?.isConnected) { this.takeNews(); this.paintSoon(); } });
  }
  get(selector) { return this.root.querySelector(selector); }

  // New data, or a new place on the page.
  update(root, data, setStateValue, setTriggerValue) {
    Object.assign(this, { data: { ...data }, given: data, setStateValue, setTriggerValue });
    this.takeNews();
    if (this.root !== root) { this.root = root; this.cards.clear(); this.build(); }
    this.wait = AGAIN;
    const waiting = this.pending.length;
    for (const act of this.pending) if (data.done[act.key]) this.error = data.done[act.key];
    this.pending = this.pending.filter((act) => !(act.key in data.done));
    if (waiting) store(sessionStorage, this.waitsIn, this.pending);
    if (this.pending.length && !this.sent) this.send();
    const numbers = data.cells.map((cell) => cell.number).join();
    if (numbers !== this.numbers) { this.numbers = numbers; this.arrange(); }
    this.paint();
  }
  // What others did since the server laid this out. The order of the cells stays as it is.
  takeNews() {
    const news = globalThis.leukemiaNews;
    if (news?.case !== this.given.case || news.shown !== this.given.shown || !news.cells) return;
    const changed = new Map(news.cells.map((cell) => [cell.number, cell]));
    this.data.cells = this.given.cells.map((cell) => changed.get(cell.number) ?? cell);
    this.data.progress = news.progress;
  }
  send() {
    this.sent = Date.now();
    this.setStateValue("queue", { tries: ++this.tries, acts: this.pending });
    this.paintSaid();
  }
  act(kind, rest = {}) {
    if (this.data.locked) return this.say("This case is signed and read-only.");
    if (!this.data.reader) return this.say(NAME_FIRST);
    this.error = "";
    this.pending.push({ key: newKey(), kind, reader: this.data.reader, ...rest });
    store(sessionStorage, this.waitsIn, this.pending);
    this.send();
    return true;
  }
  give(verdict, reason = "") {
    const numbers = this.picked.size ? [...this.picked] : this.at === null ? [] : [this.at];
    if (!numbers.length || !this.act("give", { numbers, verdict, reason })) return;
    const last = Math.max(...numbers.map((number) => this.order.indexOf(number)));
    this.picked.clear();
    this.move(Math.min(last + 1, this.order.length - 1));
    const named = numbers.length === 1 ? `Cell ${numbers[0]}` : `${numbers.length} cells`;
    this.say(`${named}: ${word(verdict)}.`);
  }
  do(name) {
    if (name === "undo") { if (this.act("undo")) this.say("Taking back what you gave last."); }
    else if (name === "sort") {
      const all = Object.keys(SORTS);
      this.sort = all[(all.indexOf(this.sort) + 1) % all.length];
      this.get(".sort").value = this.sort;
      this.arrange();
      this.paint();
      this.say(`Sorted: ${this.sort.toLowerCase()}.`);
    } else if (name === "help") toggleHelp(this);
    else if (name === "Rejected") this.askReason();
    else this.give(name);
  }

  // A cell as it will be once what waits is saved.
  seen(cell) {
    const own = this.pending.findLast((act) => act.kind === "give" && act.numbers.includes(cell.number));
    return own ? { ...cell, own: own.verdict, reason: own.reason, saving: true } : cell;
  }
  arrange() {
    const cells = this.data.cells.map((cell) => this.seen(cell)).filter(SHOWN[this.show]);
    const rank = SORTS[this.sort];
    cells.sort((a, b) => rank(a) - rank(b) || a.number - b.number);
    this.order = cells.map((cell) => cell.number);
    if (!this.order.includes(this.at)) this.at = this.order[0] ?? null;
    for (const number of this.picked) if (!this.order.includes(number)) this.picked.delete(number);
  }
  move(index, extend = false) {
    if (!this.order.length) return;
    const to = Math.max(0, Math.min(index, this.order.length - 1));
    if (extend) {
      this.anchor ??= this.at;
      const [from, until] = [this.order.indexOf(this.anchor), to].sort((a, b) => a - b);
      this.picked = new Set(this.order.slice(from, until + 1));
      this.say(`${this.picked.size} cells selected.`);
    } else this.anchor = null;
    this.at = this.order[to];
    this.paint();
    this.cards.get(this.at)?.element.scrollIntoView({ block: "nearest" });
  }
  toggle(number) {
    if (!this.picked.delete(number)) this.picked.add(number);
    this.say(`${this.picked.size} ${this.picked.size === 1 ? "cell" : "cells"} selected.`);
    this.paint();
  }

  onKey(event) {
    const place = this.order.indexOf(this.at);
    const columns = getComputedStyle(this.get(".cells")).gridTemplateColumns.split(" ").length;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    const name = ACTIONS.map(([action]) => action).find((action) => this.keys[action] === event.key.toLowerCase());
    if (event.altKey || event.metaKey || (event.ctrlKey && event.key.toLowerCase() !== "a")) return;
    if (event.ctrlKey) { this.picked = new Set(this.order); this.say(`${this.picked.size} cells selected.`); this.paint(); }
    else if (event.key in steps) {
      const to = place + steps[event.key];
      if (to >= 0 && to < this.order.length) this.move(to, event.shiftKey);
    } else if (event.key === "Home" || event.key === "End") {
      this.move(event.key === "Home" ? 0 : this.order.length - 1, event.shiftKey);
    } else if (event.key === " ") { if (this.at !== null) this.toggle(this.at); }
    else if (event.key === "Escape") { this.picked.clear(); this.say("Nothing selected."); this.paint(); }
    else if (event.key === "Enter") { if (this.at !== null) this.setTriggerValue("opened", this.at); }
    else if (name) this.do(name);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  onPointer(event, number) {
    if (event.shiftKey) this.move(this.order.indexOf(number), true);
    else if (event.ctrlKey || event.metaKey) { this.at = number; this.toggle(number); }
    else { this.picked.clear(); this.move(this.order.indexOf(number)); }
    this.get(".cells").focus({ preventScroll: true });
  }

  // What does not change with the data.
  build() {
    const cells = this.get(".cells");
    cells.replaceChildren();
    cells.addEventListener("keydown", (event) => this.onKey(event));
    cells.addEventListener("dblclick", () => { if (this.at !== null) this.setTriggerValue("opened", this.at); });
    this.buildBar();
    buildReject(this);
    this.get(".help").hidden = true;
    const active = document.activeElement;
    if (!active || active === document.body) cells.focus({ preventScroll: true });
  }
  buildBar() {
    const buttons = ACTIONS.map(([name]) => {
      const label = { undo: "Undo", sort: "Sort", help: "Keys", Rejected: `${MARKS.Rejected[1]} Reject` }[name] ?? word(name);
      const button = make("button", `do-${name}`, `${label} `, make("kbd", "", this.keys[name].toUpperCase()));
      button.type = "button";
      button.addEventListener("click", () => {
        this.do(name);
        if (name !== "Rejected" && name !== "help") this.get(".cells").focus({ preventScroll: true });
      });
      return button;
    }).filter((button) => !button.classList.contains("do-sort"));
    const choice = (label, kind, options, value) => {
      const select = make("select", kind, ...options.map((option) => make("option", "", option)));
      select.value = value;
      select.addEventListener("change", () => { this[kind] = select.value; this.arrange(); this.paint(); });
      return make("label", "", label, select);
    };
    this.get(".bar").replaceChildren(...buttons, choice("Sort", "sort", Object.keys(SORTS), this.sort),
      choice("Show", "show", Object.keys(SHOWN), this.show));
  }
  askReason() {
    if (this.data.locked) return this.say("This case is signed and read-only.");
    if (!this.data.reader) return this.say(NAME_FIRST);
    const form = this.get(".reject");
    form.hidden = false;
    form.querySelector("input").value = "";
    form.querySelector("input").focus();
  }
  saveKeys() { store(localStorage, KEYS, this.keys); this.buildBar(); }

  say(text) { this.said = text; this.paintSaid(); return false; }
  paintSaid() {
    const left = this.pending.length, trouble = this.get(".trouble");
    const late = left && (this.data.trouble || Date.now() - this.sentFirst() > 2 * AGAIN);
    const acts = left === 1 ? "Your last entry is" : `Your last ${left} entries are`;
    const why = this.data.trouble || "The server does not answer.";
    trouble.hidden = !(late || this.error);
    const text = late ? `${acts} not saved yet. ${why} Trying again. Keep this page open.` : this.error;
    if (trouble.textContent !== text) trouble.textContent = text;
    this.get(".said").textContent = `${this.said ?? ""} ${left ? "Saving …" : this.tries ? "Saved." : ""}`.trim();
  }
  sentFirst() {
    if (!this.pending.length) this.since = null;
    else this.since ??= Date.now();
    return this.since ?? Date.now();
  }
  // Many blocks of pictures come at once: they are drawn together.
  paintSoon() { this.soon ??= requestAnimationFrame(() => { this.soon = null; this.paint(); }); }
  paint() {
    if (!this.root) return;
    const cells = new Map(this.data.cells.map((cell) => [cell.number, this.seen(cell)]));
    const elements = this.order.filter((number) => cells.has(number)).map((number) => this.card(cells.get(number)));
    const grid = this.get(".cells");
    const there = [...grid.children];
    const moved = elements.length !== there.length || elements.some((one, place) => one.id !== there[place].id);
    if (moved) grid.replaceChildren(...elements);
    else elements.forEach((one, place) => { if (one !== there[place]) there[place].replaceWith(one); });
    if (!elements.length) grid.replaceChildren(make("p", "line", "No cells in this view. Choose another one under Show."));
    for (const [number, { element }] of this.cards) {
      element.classList.toggle("at", number === this.at);
      element.classList.toggle("picked", this.picked.has(number));
      element.setAttribute("aria-selected", this.picked.size ? this.picked.has(number) : number === this.at);
    }
    this.get(".progress").textContent = this.data.progress;
    grid.setAttribute("aria-label", this.data.spoken);
    grid.setAttribute("aria-activedescendant", `cell-${this.at}`);
    for (const button of this.root.querySelectorAll(".bar button:not(.do-help)")) button.disabled = this.data.locked;
    this.paintSaid();
  }
  card(cell) {
    const pictures = globalThis.leukemiaPictures;
    const picture = pictures?.case === this.data.case ? pictures.of.get(cell.number) : undefined;
    const now = JSON.stringify(cell) + Boolean(picture);
    const known = this.cards.get(cell.number);
    if (known?.now === now) return known.element;
    const element = drawn(cell, picture);
    element.addEventListener("click", (event) => this.onPointer(event, cell.number));
    this.cards.set(cell.number, { now, element });
    return element;
  }
}

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  if (!places.has(data.case)) places.set(data.case, new Review(data.case));
  places.get(data.case).update(parentElement, data, setStateValue, setTriggerValue);
}
