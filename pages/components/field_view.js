// A field with an outline about each cell and a tag with its sign and number. A click or Enter opens the cell; while the
// field is corrected by hand it chooses it instead. What is changed is sent once it is applied, never while it is drawn.
const LETTER = 9, HIGH = 20, PAD = 8;
const DONE = "Press Enter or Apply to have the cell cut out and answered, Escape to take it back.";
const views = new Map();

class FieldView {
  constructor() { Object.assign(this, { tool: null, at: null, draft: null, sent: null, said: "", zoomed: null, serial: 0 }); }

  update(root, data, setTriggerValue) {
    const before = this.data, answered = this.sent && data.outcome.id === this.sent;
    Object.assign(this, { root, data, setTriggerValue });
    if (!data.tools.length) Object.assign(this, { tool: null, draft: null });
    if (answered) {
      this.sent = null;
      this.error = data.outcome.error;
      this.said = data.outcome.said;
      if (!this.error) Object.assign(this, { draft: null, at: data.outcome.cell || null });
    }
    if (before && before.image_id !== data.image_id) Object.assign(this, { at: null, draft: null, zoomed: null });
    // What was said of a field holds no longer once another one is shown, or this one at another scale.
    if (before && !answered && (before.image_id !== data.image_id || before.note !== data.note)) this.said = "";
    if (!data.cells.some((cell) => cell.key === this.at)) this.at = null;
    this.build();
    // The picture that had the keyboard was replaced.
    if (answered && this.tool) this.svg.focus({ preventScroll: true });
  }
  chosen() { return this.data.cells.find((cell) => cell.key === this.at); }
  choose(key) {
    this.at = key;
    this.draft = null;
    OUTLINE.corner = 0;
    const cell = this.chosen();
    this.say(cell ? `Cell ${cell.number} is chosen.` : "");
    this.paintTool();
  }
  take(tool) {
    this.tool = this.tool === tool ? null : tool;
    Object.assign(this, { draft: null, error: "" });
    if (!this.tool) this.at = null;
    this.say("");
    this.paintTool();
    this.svg.focus({ preventScroll: true });
  }

  // What is done, to the server.
  send(change) {
    if (this.sent) return;
    this.sent = `${Date.now()}-${++this.serial}`;
    this.error = "";
    this.setTriggerValue("changed", { id: this.sent, ...change });
    this.say("Working …");
  }
  apply() { if (this.draft) this.send(this.draft); }
  get locked() { return !this.data.draws; }
  cancel() {
    if (this.draft) { this.draft = null; this.say("Nothing was changed."); this.paintTool(); }
    else if (this.at) this.choose(null);
    else if (this.tool) this.take(this.tool);
  }
  remove() {
    if (this.draft?.kind === "draw") return this.cancel();
    if (this.at) this.send({ kind: "remove", cell: this.at });
    else this.say("Choose a cell first.");
  }
  undo() { this.send({ kind: "undo" }); }
  zoom() {
    const box = this.draft?.box ?? this.chosen()?.box;
    this.zoomed = this.zoomed || !box ? null : box;
    this.fit();
    this.paintTool();
  }
  say(text) { this.said = text; this.paintBar(); }
  // In pixels of the field.
  get step() { return Math.max(1, Math.round(this.unit)); }
  middleBox() {
    const [x, y, width, height] = this.shownPart(), side = Math.min(width, height) / 6;
    return [x + (width - side) / 2, y + (height - side) / 2, side, side];
  }
  shownPart() {
    const { width, height } = this.data;
    if (!this.zoomed) return [0, 0, width, height];
    const [x, y, wide, high] = this.zoomed, side = Math.max(2.2 * wide, (2.2 * high * width) / height);
    const part = [Math.min(side, width), Math.min((side * height) / width, height)];
    return [clamp(x + wide / 2 - part[0] / 2, 0, width - part[0]), clamp(y + high / 2 - part[1] / 2, 0, height - part[1]), ...part];
  }

  build() {
    const svg = (this.svg = document.createElementNS(SVG, "svg")), { width, height } = this.data;
    for (const [key, value] of Object.entries({ role: "group", tabindex: this.data.tools.length ? 0 : -1, "aria-label": this.data.spoken })) svg.setAttribute(key, value);
    svg.style.setProperty("--ratio", width / height);
    make("image", { href: `data:image/webp;base64,${this.data.picture}`, width, height, preserveAspectRatio: "none" }, svg);
    this.tags = this.data.cells.map((cell) => this.drawCell(cell));
    this.layer = make("g", { class: "layer" }, svg);
    svg.addEventListener("pointerdown", (event) => this.onDown(event));
    svg.addEventListener("keydown", (event) => this.onKey(event));
    this.bar = this.root.querySelector(".bar");
    this.root.querySelector(".field").replaceChildren(svg);
    this.watch?.disconnect();
    this.watch = new ResizeObserver(() => { this.fit(); this.paintTool(); });
    this.watch.observe(svg);
    this.buildBar();
    this.fit();
    this.paintTool();
  }
  drawCell(cell) {
    const group = make("g", { class: `cell cell-${cell.kind}`, role: "button", tabindex: 0, "aria-label": cell.spoken, "data-key": cell.key }, this.svg);
    make("title", {}, group).textContent = cell.spoken;
    make("polygon", { class: "halo", points: cell.points }, group);
    make("polygon", { class: "line", points: cell.points, "stroke-dasharray": dashes(cell) }, group);
    const open = () => (this.tool ? null : this.setTriggerValue("opened", cell.key));
    group.addEventListener("click", open);
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      if (this.tool === BOX || (this.tool && this.draft)) return;
      event.preventDefault();
      event.stopPropagation();
      if (this.tool) this.choose(cell.key);
      else open();
    });
    const tag = make("rect", { class: "tag" }, group), text = make("text", {}, group);
    text.textContent = cell.label;
    return { cell, group, tag, text };
  }
  // Tags and handles keep their size on the screen, whatever that of the field.
  fit() {
    const [left, top, width, height] = this.shownPart();
    this.svg.setAttribute("viewBox", `${left} ${top} ${width} ${height}`);
    const shown = this.svg.getBoundingClientRect();
    if (shown.width < 1 || shown.height < 1) return;
    this.unit = Math.max(width / shown.width, height / shown.height);
    for (const { cell, tag, text } of this.tags) {
      const wide = (cell.label.length * LETTER + PAD) * this.unit, high = HIGH * this.unit, { box } = cell;
      const x = clamp(box[0] + box[2] / 2 - wide / 2, 0, this.data.width - wide), y = clamp(box[1] - high * 1.2, 0, this.data.height - high);
      for (const [key, value] of Object.entries({ x, y, width: wide, height: high, rx: high / 4 })) tag.setAttribute(key, value);
      for (const [key, value] of Object.entries({ x: x + wide / 2, y: y + high / 2, "font-size": high * 0.72 })) text.setAttribute(key, value);
    }
  }

  pointAt(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    return [point.x, point.y];
  }
  onDown(event) {
    if (!this.tool || this.sent || event.button) return;
    if (this.locked) return this.choose(event.target.closest?.(".cell")?.dataset.key ?? null);
    event.preventDefault();
    this.svg.focus({ preventScroll: true });
    let before = this.pointAt(event);
    if (!this.tool.down(this, before, event.target, event)) return;
    const move = (next) => {
      const at = this.pointAt(next);
      this.tool?.drag(this, at, before);
      before = at;
    };
    const up = () => {
      for (const [name, heard] of [["pointermove", move], ["pointerup", up], ["pointercancel", up]]) removeEventListener(name, heard);
      this.tool?.up?.(this);
      if (this.draft) this.say(this.tool?.done ?? DONE);
    };
    for (const [name, heard] of [["pointermove", move], ["pointerup", up], ["pointercancel", up]]) addEventListener(name, heard);
  }
  onKey(event) {
    if (!this.data.tools.length || event.ctrlKey || event.metaKey) return;
    const key = event.key.toLowerCase(), tool = this.tools().find((one) => one.key === key);
    if (tool) this.take(tool);
    else if (!this.tool) return;
    else if (!this.locked && this.tool.press(this, event)) { /* taken */ }
    else if (key === "enter") this.apply();
    else if (key === "escape") this.cancel();
    else if (key === "delete" || key === "backspace") this.remove();
    else if (key === "u") this.undo();
    else if (key === "z") this.zoom();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  // Where not all pixels of a field were kept, cells can only be chosen and removed.
  tools() { return TOOLS.filter((tool) => this.data.tools.includes(tool.name) && (this.data.draws || tool === CHOOSE)); }

  buildBar() {
    const button = (label, key, act) => {
      const one = document.createElement("button"), hint = document.createElement("kbd");
      hint.textContent = key;
      one.type = "button";
      one.append(`${label} `, hint);
      one.addEventListener("click", act);
      return one;
    };
    this.bar.hidden = !this.data.tools.length;
    this.buttons = this.tools().map((tool) => [tool, button(tool.label, tool.key.toUpperCase(), () => this.take(tool))]);
    const rest = [["remove", "Remove", "Del"], ["undo", "Undo", "U"], ["zoom", "Zoom", "Z"], ["apply", "Apply", "Enter"], ["cancel", "Cancel", "Esc"]];
    this.acts = Object.fromEntries(rest.map(([name, label, key]) => [name, button(label, key, () => this[name]())]));
    const row = this.bar.querySelector(".row");
    row.replaceChildren(...this.buttons.map(([, one]) => one), ...Object.values(this.acts));
    const longest = (texts) => texts.reduce((long, text) => (text.length > long.length ? text : long)), tools = this.tools();
    const [help, said] = this.bar.querySelectorAll(".lines");
    help.dataset.room = longest([this.data.invite, ...tools.map((tool) => (this.locked ? "" : tool.help))]);
    said.dataset.room = longest([DONE, ...tools.map((tool) => tool.done ?? "")]);
    this.paintBar();
  }
  paintBar() {
    if (!this.acts) return;
    for (const [tool, one] of this.buttons) { one.setAttribute("aria-pressed", tool === this.tool); one.disabled = Boolean(this.sent); }
    for (const one of Object.values(this.acts)) one.disabled = !this.tool || Boolean(this.sent);
    this.acts.apply.disabled = this.acts.cancel.disabled = !this.draft || Boolean(this.sent);
    this.acts.remove.disabled ||= !this.at;
    this.acts.undo.disabled ||= !this.data.undo;
    this.acts.zoom.disabled ||= !this.zoomed && !this.at && !this.draft?.box;
    this.bar.querySelector(".help").textContent = this.locked ? this.data.invite : this.tool?.help ?? this.data.invite;
    this.bar.querySelector(".said").textContent = this.said;
    const trouble = this.bar.querySelector(".trouble");
    trouble.hidden = !this.error;
    trouble.textContent = this.error ?? "";
  }
  paintTool() {
    this.layer.replaceChildren();
    for (const { cell, group } of this.tags) group.classList.toggle("chosen", cell.key === this.at);
    this.svg.classList.toggle("by-hand", Boolean(this.tool));
    if (!this.locked) this.tool?.paint(this, this.layer);
    this.paintBar();
  }
}

// In widths of the line, which is given in pixels of the screen.
function dashes(cell) {
  return cell.dashes.split(" ").filter(Boolean).map((part) => 3 * Number(part)).join(" ") || "none";
}

export default function ({ parentElement, data, setTriggerValue }) {
  if (!views.has(data.id)) views.set(data.id, new FieldView());
  const view = views.get(data.id);
  view.update(parentElement, data, setTriggerValue);
  return () => view.watch?.disconnect();
}
