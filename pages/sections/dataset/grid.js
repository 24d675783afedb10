// Text from files goes in as text, never as HTML.
function make(kind, name, ...content) {
  const element = document.createElement(kind);
  if (name) element.className = name;
  element.append(...content);
  return element;
}

function picture(card) {
  if (!card.picture) return make("div", "picture", "not readable");
  const image = make("img", "picture");
  image.alt = "";
  image.src = `data:image/jpeg;base64,${card.picture}`;
  return image;
}

// In a window, the cell that was clicked takes the place of the one before it, at the window's top.
function backToTop(root) {
  const dialog = root.host.closest('[role="dialog"]');
  if (!dialog) return;
  for (let box = root.host; box; box = box.parentElement) if (box.scrollTop) box.scrollTop = 0;
  dialog.focus({ preventScroll: true });
}

export default function ({ parentElement, data, setTriggerValue }) {
  const cards = data.cards.map((card) => {
    const open = make("button", "open", picture(card), make("span", "text",
      make("span", "row", make("span", "who", card.who), make("span", `tag ${card.kind}`, card.label)),
      ...card.lines.map(([left, right, kind]) =>
        make("span", `row ${kind}`, make("span", "", left), make("span", "number", right)))));
    open.type = "button";
    open.setAttribute("aria-label", card.spoken);
    open.title = card.title;
    open.addEventListener("click", () => {
      setTriggerValue("opened", card.id);
      backToTop(parentElement);
    });
    const shown = make("div", card.picked ? "card picked" : "card", open);
    shown.setAttribute("role", "listitem");
    shown.dataset.image = card.id;
    shown.append(...card.badges.map((badge) => make("span", "badge", badge)));
    if (data.pick) {
      const box = make("input", "");
      box.type = "checkbox";
      box.checked = card.picked;
      box.addEventListener("change", () => {
        shown.classList.toggle("picked", box.checked);
        setTriggerValue("picked", [card.id, box.checked]);
      });
      shown.append(make("label", "pick", box, "Select"));
    }
    return shown;
  });
  const grid = parentElement.querySelector(".grid");
  // A picked card is drawn anew: the keyboard stays where it was.
  const root = grid.getRootNode();
  const at = root.activeElement && root.activeElement.closest(".card");
  const [image, kind] = at ? [at.dataset.image, root.activeElement.localName] : [];
  grid.setAttribute("aria-label", data.spoken);
  grid.replaceChildren(...cards);
  if (image) grid.querySelector(`[data-image="${image}"] ${kind}`)?.focus();
}
