// A field with an outline about each cell and a tag with its sign and number; a click or Enter opens the cell.
const SVG = "http://www.w3.org/2000/svg";
// Height of a tag in pixels of the screen, and its width for each letter.
const HIGH = 20, LETTER = 9, PAD = 8;

const make = (name, attributes, parent) => {
  const one = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  return parent.appendChild(one);
};

export default function ({ parentElement, data, setTriggerValue }) {
  const place = parentElement.querySelector(".field");
  const svg = document.createElementNS(SVG, "svg");
  const { width, height } = data;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", data.spoken);
  make("image", { href: `data:image/webp;base64,${data.picture}`, width, height }, svg);
  const tags = data.cells.map((cell) => {
    const group = make("g", { class: `cell cell-${cell.kind}`, role: "button", tabindex: 0, "aria-label": cell.spoken }, svg);
    make("title", {}, group).textContent = cell.spoken;
    make("polygon", { class: "halo", points: cell.points }, group);
    make("polygon", { class: "line", points: cell.points, "stroke-dasharray": dashes(cell) }, group);
    const open = () => setTriggerValue("opened", cell.key);
    group.addEventListener("click", open);
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open();
    });
    const tag = make("rect", { class: "tag" }, group), text = make("text", {}, group);
    text.textContent = cell.label;
    return { box: cell.box, letters: cell.label.length, tag, text };
  });
  place.replaceChildren(svg);
  // Tags keep their size on the screen, whatever that of the field.
  const fit = () => {
    const shown = svg.getBoundingClientRect();
    if (shown.width < 1 || shown.height < 1) return;
    const unit = Math.max(width / shown.width, height / shown.height);
    for (const { box, letters, tag, text } of tags) {
      const wide = (letters * LETTER + PAD) * unit, high = HIGH * unit;
      const x = Math.min(Math.max(box[0] + box[2] / 2 - wide / 2, 0), width - wide);
      const y = Math.min(Math.max(box[1] - high * 1.2, 0), height - high);
      for (const [key, value] of Object.entries({ x, y, width: wide, height: high, rx: high / 4 })) tag.setAttribute(key, value);
      text.setAttribute("x", x + wide / 2);
      text.setAttribute("y", y + high / 2);
      text.setAttribute("font-size", high * 0.72);
    }
  };
  const watch = new ResizeObserver(fit);
  watch.observe(svg);
  fit();
  return () => watch.disconnect();
}

// In widths of the line, which is given in pixels of the screen.
function dashes(cell) {
  return cell.dashes.split(" ").filter(Boolean).map((part) => 3 * Number(part)).join(" ") || "none";
}
