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
    Object.assign(this, { said: "", ofSaved: true, asked: [] });
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
    const inView = this.inView(this.at), other = numbers !== this.numbers;
    if (other) { this.numbers = numbers; this.arrange(); }
    this.paint();
    if (other && inView) this.bring();
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
    if (this.barred()) return false;
    this.error = "";
    this.pending.push({ key: newKey(), kind, reader: this.data.reader, ...rest });
    store(sessionStorage, this.waitsIn, this.pending);
    this.send();
    return true;
  }
  barred() {
    if (this.data.locked) this.say("This case is signed and read-only.");
    else if (!this.data.reader) this.say(NAME_FIRST);
    return this.data.locked || !this.data.reader;
  }
  // What a verdict is for.
  meant() { return this.picked.size ? [...this.picked] : this.at === null ? [] : [this.at]; }
  give(verdict, reason = "", numbers = this.meant()) {
    const unseen = verdict === "Rejected" ? [] : withoutPicture(this.data.cells, numbers);
    numbers = numbers.filter((number) => !unseen.includes(number));
    if (!numbers.length && unseen.length) return this.say(onlyRejected(unseen));
    if (!numbers.length || !this.act("give", { numbers, verdict, reason })) return;
    const last = Math.max(...numbers.map((number) => this.order.indexOf(number)));
    this.picked.clear();
    this.move(Math.min(last + 1, this.order.length - 1));
    const named = numbers.length === 1 ? `Cell ${numbers[0]}` : `${numbers.length} cells`;
    this.say(`${named}: ${word(verdict)}. ${onlyRejected(unseen)}`.trim(), true);
  }
  undo() {
    const nothing = !this.pending.length && !this.data.cells.some((cell) => cell.own);
    if (this.barred()) return;
    if (nothing) this.say("There is nothing of yours to take back.");
    else if (this.act("undo")) this.say("Taking back what you gave last.", true);
  }
  do(name) {
    if (name === "undo") this.undo();
    else if (name === "sort") {
      const all = Object.keys(SORTS);
      this.rearrange("sort", all[(all.indexOf(this.sort) + 1) % all.length]);
    } else if (name === "help") toggleHelp(this);
    else if (this.barred() || this.away(this.meant())) return;
    else if (name === "Rejected") askReason(this, this.meant());
    else this.give(name);
  }

  // A cell as it will be once what waits is saved.
  seen(cell) {
    const own = this.pending.findLast((act) => act.kind === "give" && act.numbers.includes(cell.number));
    return own ? { ...cell, own: own.verdict, reason: own.reason, saving: true } : cell;
  }
  // Another order or filter is another list to work through. It is begun at its first cell, with none selected:
  // that one was asked for, and what was marked before may lie anywhere in it.
  rearrange(kind, value) {
    this[kind] = this.get(`select.${kind}`).value = value;
    this.get(".reject").hidden = true;
    Object.assign(this, { at: null, anchor: null });
    this.picked.clear();
    this.arrange();
    this.paint();
    this.bring();
    this.say(`${kind === "sort" ? "Sorted" : "Shown"}: ${value.toLowerCase()}.`);
  }
  arrange() {
    const place = Math.max(0, this.order.indexOf(this.at));
    const cells = this.data.cells.map((cell) => this.seen(cell)).filter(SHOWN[this.show]);
    const rank = SORTS[this.sort];
    cells.sort((a, b) => rank(a) - rank(b) || a.number - b.number);
    this.order = cells.map((cell) => cell.number);
    if (!this.order.includes(this.at)) this.at = this.order[Math.min(place, this.order.length - 1)] ?? null;
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
    this.bring();
  }

  // Between which heights on the screen the grid is seen once it is scrolled below the bars.
  room() {
    const head = this.get(".head"), { top, position } = getComputedStyle(head);
    const below = document.querySelector('[data-testid="stBottom"]')?.getBoundingClientRect().top ?? innerHeight;
    return [parseFloat(top) + (position === "sticky" ? head.offsetHeight : 0), below];
  }
  bring(number = this.at) {
    const card = this.cards.get(number)?.element, grid = this.get(".cells"), [above, below] = this.room();
    grid.style.setProperty("--above", `${above}px`);
    grid.style.setProperty("--below", `${innerHeight - below}px`);
    card?.scrollIntoView({ block: card.offsetHeight > below - above ? "start" : "nearest" });
  }
  // At least half of its picture, or of what the screen has room for.
  inView(number) {
    const picture = this.cards.get(number)?.element.querySelector(".picture").getBoundingClientRect();
    if (!picture) return false;
    const [above, below] = this.room(), { top, bottom } = picture;
    return Math.min(bottom, below) - Math.max(top, above) >= Math.min(bottom - top, below - above) / 2;
  }
  // Nobody is to judge what is not seen: cells that were scrolled away are brought back first.
  away(numbers) {
    if (numbers.some((number) => this.inView(number))) return false;
    this.bring(numbers[0]);
    const [named, them] = numbers.length === 1 ? [`Cell ${numbers[0]} was`, "it"] : [`The ${numbers.length} selected cells were`, "them"];
    if (numbers.length) this.say(`${named} out of view. Look at ${them}, then press again.`);
    return true;
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
    } else if (event.key === " ") { if (!this.away(this.at === null ? [] : [this.at])) this.toggle(this.at); }
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
    cells.addEventListener("focus", () => { this.get(".reject").hidden = true; });
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
        if (this.get(".reject").hidden && this.get(".help").hidden) this.get(".cells").focus({ preventScroll: true });
      });
      return button;
    }).filter((button) => !button.classList.contains("do-sort"));
    const choice = (label, kind, options, value) => {
      const select = make("select", kind, ...options.map((option) => make("option", "", option)));
      select.value = value;
      // Who chose by mouse goes on with the keys of the grid; who chose by keyboard may go on choosing.
      let byMouse = false;
      select.addEventListener("pointerdown", () => { byMouse = true; });
      select.addEventListener("keydown", () => { byMouse = false; });
      select.addEventListener("change", () => {
        this.rearrange(kind, select.value);
        if (byMouse) this.get(".cells").focus({ preventScroll: true });
      });
      return make("label", "", label, select);
    };
    this.get(".bar").replaceChildren(...buttons, choice("Sort", "sort", Object.keys(SORTS), this.sort),
      choice("Show", "show", Object.keys(SHOWN), this.show));
  }
  saveKeys() { store(localStorage, KEYS, this.keys); this.buildBar(); }

  // `ofSaved`: it tells of what is saved, and so whether it is.
  say(said, ofSaved = false) {
    Object.assign(this, { said, ofSaved });
    this.paintSaid();
  }
  paintSaid() {
    const left = this.pending.length, trouble = this.get(".trouble");
    const late = left && (this.data.trouble || Date.now() - this.sentFirst() > 2 * AGAIN);
    const acts = left === 1 ? "Your last entry is" : `Your last ${left} entries are`;
    const why = this.data.trouble || "The server does not answer.";
    trouble.hidden = !(late || this.error);
    const text = late ? `${acts} not saved yet. ${why} Trying again. Keep this page open.` : this.error;
    if (trouble.textContent !== text) trouble.textContent = text;
    const state = left ? "Saving …" : this.ofSaved && this.tries && !this.error ? "Saved." : "";
    this.get(".said").textContent = `${this.said} ${state}`.trim();
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
