// Tools with which a field is corrected by hand. One is in hand at a time; each has
//   name, label, key, help    what its button says, the key that takes it, and how it is used;
//   down(view, at, target)    the pointer is pressed: true where the tool takes the drag that follows;
//   drag(view, at, before)    the pointer was moved from `before`; both in pixels of the field;
//   up(view)                  the pointer is let go;
//   press(view, event)        a key: true where the tool took it;
//   paint(view, layer)        draws what it shows over the cells.
// What a tool changes is `view.draft`, which the view sends when it is applied: { kind, cell, box, ring }.
const LEAST = 8, HANDLE = 5, STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
// Corners of an outline at the most.
const MOST = 1000;
// How far the neighbours of a corner follow it, nearest first.
const FOLLOW = [0.6, 0.25];

const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));
const same = (a, b) => a[0] === b[0] && a[1] === b[1];
const boxOf = (ring) => {
  const [x, y] = [0, 1].map((axis) => ring.map((corner) => corner[axis]));
  return [Math.min(...x), Math.min(...y), Math.max(...x) - Math.min(...x), Math.max(...y) - Math.min(...y)];
};

// A box that stays within the field and keeps a least size.
function fitted(view, [x, y, width, height]) {
  const wide = clamp(width, LEAST, view.data.width), high = clamp(height, LEAST, view.data.height);
  return [clamp(x, 0, view.data.width - wide), clamp(y, 0, view.data.height - high), wide, high];
}
// A box by two of its corners.
function spanned(view, a, b) {
  const [left, right] = [a[0], b[0]].map((x) => clamp(x, 0, view.data.width)).sort((m, n) => m - n);
  const [top, bottom] = [a[1], b[1]].map((y) => clamp(y, 0, view.data.height)).sort((m, n) => m - n);
  return fitted(view, [left, top, right - left, bottom - top]);
}
function shownBox(view) { return view.draft?.box ?? (view.draft ? null : view.chosen()?.box ?? null); }
function inField(view, [x, y]) { return [clamp(x, 0, view.data.width), clamp(y, 0, view.data.height)]; }
function paintRing(ring, layer) {
  const points = ring.map((corner) => corner.join()).join(" ");
  for (const kind of ["halo", "line"]) make("polygon", { class: `box ${kind}`, points }, layer);
}
// A new box, or one of a chosen cell.
function setBox(view, box) {
  const cell = view.draft?.cell ?? view.at ?? "";
  view.draft = { kind: cell ? "box" : "draw", cell, box };
  view.paintTool();
}
function paintBox(view, layer) {
  const box = shownBox(view);
  if (!box) return;
  const [x, y, width, height] = box, unit = view.unit;
  for (const kind of ["halo", "line"]) make("rect", { class: `box ${kind}`, x, y, width, height }, layer);
  for (const [corner, cx, cy] of [[0, x, y], [1, x + width, y], [2, x + width, y + height], [3, x, y + height]]) {
    make("circle", { class: "handle", cx, cy, r: HANDLE * unit, "data-corner": corner }, layer);
  }
}
function keyBox(view, event) {
  const step = STEPS[event.key], box = shownBox(view);
  if (!step || !box) return false;
  const [right, down] = step.map((one) => one * view.step);
  const [x, y, width, height] = box;
  setBox(view, fitted(view, event.shiftKey ? [x, y, width + right, height + down] : [x + right, y + down, width, height]));
  view.say(event.shiftKey ? `Box ${Math.round(width)} by ${Math.round(height)} pixels.` : "Box moved.");
  return true;
}

const CHOOSE = {
  name: "choose", label: "Choose", key: "c",
  help: "Click a cell, then drag its box or a corner of it. By keyboard: Tab and Enter choose a cell, arrow keys move its box, Shift and arrow keys resize it.",
  down(view, at, target) {
    const corner = target.dataset?.corner, box = shownBox(view);
    if (corner !== undefined && box) {
      const [x, y, width, height] = box;
      this.fixed = [[x + width, y + height], [x, y + height], [x, y], [x + width, y]][corner];
      return true;
    }
    this.fixed = null;
    const inside = box && at[0] > box[0] && at[1] > box[1] && at[0] < box[0] + box[2] && at[1] < box[1] + box[3];
    const key = target.closest?.(".cell")?.dataset.key;
    if (inside && (view.draft || !key || key === view.at)) return true;
    if (!view.draft) view.choose(key ?? null);
    return false;
  },
  drag(view, at, before) {
    const [x, y, width, height] = shownBox(view);
    setBox(view, this.fixed ? spanned(view, this.fixed, at) : fitted(view, [x + at[0] - before[0], y + at[1] - before[1], width, height]));
  },
  press: keyBox,
  paint: paintBox,
};

const BOX = {
  name: "box", label: "Draw a box", key: "b",
  help: "Drag a box round a cell that was missed. By keyboard: Enter puts a box into the middle, arrow keys move it, Shift and arrow keys resize it.",
  down(view, at, target) {
    if (view.draft && target.dataset?.corner !== undefined) return CHOOSE.down(view, at, target);
    view.choose(null);
    CHOOSE.fixed = at;
    return true;
  },
  drag(view, at) { setBox(view, spanned(view, CHOOSE.fixed, at)); },
  press(view, event) {
    if (event.key === "Enter" && !view.draft) {
      view.choose(null);
      setBox(view, fitted(view, view.middleBox()));
      view.say("A box is in the middle of the picture.");
      return true;
    }
    return keyBox(view, event);
  },
  paint: (view, layer) => { if (view.draft) paintBox(view, layer); },
};

const OUTLINE = {
  name: "outline", label: "Move corners", key: "m",
  help: "Choose a cell, then drag the corners of its outline; those beside follow, with Alt they stay. By keyboard: Page up and Page down choose a corner, arrow keys move it.",
  ring(view) {
    const ring = view.draft?.ring ?? view.chosen()?.ring ?? [];
    // The last corner is the first.
    return ring.length > 1 && same(ring[0], ring.at(-1)) ? ring.slice(0, -1) : ring;
  },
  move(view, corner, [right, down], alone) {
    const ring = this.ring(view).map((one) => [...one]), size = ring.length;
    const put = (index, share) => {
      const one = ring[(index + size) % size];
      one[0] = clamp(one[0] + share * right, 0, view.data.width);
      one[1] = clamp(one[1] + share * down, 0, view.data.height);
    };
    put(corner, 1);
    if (!alone && size > 8) FOLLOW.forEach((share, beside) => { put(corner - beside - 1, share); put(corner + beside + 1, share); });
    view.draft = { kind: "outline", cell: view.at, ring };
    view.paintTool();
  },
  down(view, at, target, event) {
    const corner = target.dataset?.point;
    if (corner !== undefined) {
      Object.assign(this, { corner: Number(corner), alone: event.altKey });
      return true;
    }
    const key = target.closest?.(".cell")?.dataset.key;
    if (!view.draft && key) view.choose(key);
    return false;
  },
  drag(view, at, before) { this.move(view, this.corner, [at[0] - before[0], at[1] - before[1]], this.alone); },
  press(view, event) {
    const size = this.ring(view).length, step = STEPS[event.key];
    if (!size) return false;
    this.corner = clamp(this.corner ?? 0, 0, size - 1);
    if (event.key === "PageUp" || event.key === "PageDown") {
      this.corner = (this.corner + (event.key === "PageUp" ? size - 1 : 1)) % size;
      view.say(`Corner ${this.corner + 1} of ${size}.`);
      view.paintTool();
    } else if (step) this.move(view, this.corner, step.map((one) => one * view.step), event.altKey);
    else return false;
    return true;
  },
  paint(view, layer) {
    const ring = this.ring(view);
    if (!ring.length) return;
    paintRing(ring, layer);
    ring.forEach(([cx, cy], corner) => {
      const chosen = corner === this.corner ? " chosen" : "";
      make("circle", { class: `handle${chosen}`, cx, cy, r: (chosen ? 1.4 : 0.8) * HANDLE * view.unit, "data-point": corner }, layer);
    });
  },
};

const TRACE = {
  name: "trace", label: "Draw an outline", key: "t",
  done: "Go on round the cell, or press Enter or Apply to have it cut out and answered. Backspace takes the last corner back, Escape all.",
  help: "Drag round a cell along its edge, or click corner by corner. For a cell that is outlined already, choose it first: it gets the new outline. By keyboard: draw a box, then move the corners of its outline.",
  // Corners nearer than this, in pixels of the screen, are one.
  apart: 4,
  add(view, at) {
    const corner = inField(view, at), ring = view.draft?.ring ?? [], last = ring.at(-1);
    if (ring.length >= MOST || (last && Math.hypot(corner[0] - last[0], corner[1] - last[1]) < this.apart * view.unit)) return;
    this.set(view, [...ring, corner]);
  },
  // Of the chosen cell where it lies round that one's middle; elsewhere it is another cell.
  set(view, ring) {
    const [x, y, width, height] = boxOf(ring), box = view.chosen()?.box;
    const round = box && x < box[0] + box[2] / 2 && box[0] + box[2] / 2 < x + width && y < box[1] + box[3] / 2 && box[1] + box[3] / 2 < y + height;
    view.draft = round ? { kind: "outline", cell: view.at, ring } : { kind: "draw", cell: "", ring };
    view.paintTool();
  },
  down(view, at) {
    this.add(view, at);
    return true;
  },
  drag(view, at) { this.add(view, at); },
  press(view, event) {
    if (event.key !== "Backspace" || !view.draft) return false;
    if (view.draft.ring.length > 1) this.set(view, view.draft.ring.slice(0, -1));
    else view.cancel();
    return true;
  },
  paint(view, layer) {
    const ring = view.draft?.ring ?? [];
    if (!ring.length) return;
    paintRing(ring, layer);
    const [cx, cy] = ring.at(-1);
    make("circle", { class: "handle", cx, cy, r: HANDLE * view.unit }, layer);
  },
};

const BAR = {
  name: "bar", label: "Scale bar", key: "s",
  done: "Press Enter or Apply to take over the length of the line, Escape to take it back.",
  help: "Drag from one end of the scale bar to the other, then Apply, and say below how long it is. By keyboard: type its length in pixels below.",
  down(view, at) {
    view.draft = { kind: "bar", cell: "", ring: [at, at] };
    return true;
  },
  drag(view, at) {
    view.draft = { ...view.draft, ring: [view.draft.ring[0], inField(view, at)] };
    view.paintTool();
  },
  press: () => false,
  paint(view, layer) {
    if (view.draft?.kind !== "bar") return;
    const [[x1, y1], [x2, y2]] = view.draft.ring;
    for (const kind of ["halo", "line"]) make("line", { class: `box ${kind}`, x1, y1, x2, y2 }, layer);
    for (const [cx, cy] of view.draft.ring) make("circle", { class: "handle", cx, cy, r: HANDLE * view.unit }, layer);
  },
};

const TOOLS = [CHOOSE, BOX, TRACE, OUTLINE, BAR];
