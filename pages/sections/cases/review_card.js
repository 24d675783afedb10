// One cell of a case as a card. Text from files and people goes in as text, never as HTML.
const MARKS = {
  "ALL-like": ["all", "▲"], "Normal-like": ["normal", "●"], "Indeterminate": ["unsure", "◆"],
  "Rejected": ["rejected", "✕"], "Not classified": ["", "–"],
};

function make(kind, name, ...content) {
  const element = document.createElement(kind);
  if (name) element.className = name;
  element.append(...content);
  return element;
}
function word(value) { return value ? `${MARKS[value]?.[1] ?? ""} ${value}`.trim() : ""; }
function drawn(cell, picture) {
  let image = make("div", "picture", cell.picture ? "" : "no picture");
  if (picture) {
    image = make("img", "picture");
    image.alt = "";
    image.src = `data:image/jpeg;base64,${picture}`;
  }
  const verdict = cell.own ? make("p", `verdict ${MARKS[cell.own]?.[0]}`, word(cell.own))
    : make("p", "verdict none", "no verdict of yours");
  const line = (text, kind = "") => {
    const paragraph = make("p", `line ${kind}`, text);
    if (kind === "quiet") paragraph.title = text;
    return paragraph;
  };
  const element = make("div", "card", image, make("span", "number", String(cell.number)), verdict);
  if (cell.own && cell.reason) element.append(line(cell.reason, "quiet"));
  for (const [text, kind] of cell.lines) element.append(line(text, kind));
  element.setAttribute("role", "option");
  element.id = `cell-${cell.number}`;
  element.dataset.number = cell.number;
  element.dataset.own = cell.own;
  element.dataset.saved = !cell.saving;
  const said = cell.lines.map(([text]) => text).join(". ");
  element.setAttribute("aria-label", `Cell ${cell.number}. ${cell.own ? `Your verdict: ${cell.own}` : "No verdict of yours"}. ${said}`);
  return element;
}
