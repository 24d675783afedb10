// Beside the list of cases: verdicts that were given just before their case was left, and wait in this tab.
const PREFIX = "leukemia-waiting-", AGAIN = 1000;

function waiting() {
  return Object.keys(sessionStorage).filter((name) => name.startsWith(PREFIX)).flatMap((name) => {
    let acts = [];
    try { acts = JSON.parse(sessionStorage.getItem(name)); } catch { /* Not written by the grid. */ }
    return Array.isArray(acts) && acts.length ? [[Number(name.slice(PREFIX.length)), acts.length]] : [];
  });
}

function line([number, count], setTriggerValue) {
  const said = count === 1 ? "1 entry is not saved yet." : `${count} entries are not saved yet.`;
  const [text, button] = [document.createElement("p"), document.createElement("button")];
  text.textContent = `You left a case before it was saved: ${said} Do not close this tab.`;
  button.type = "button";
  button.textContent = "Open the case to save";
  button.addEventListener("click", () => setTriggerValue("opened", number));
  text.append(button);
  return text;
}

export default function ({ parentElement, setTriggerValue }) {
  const place = parentElement.querySelector(".unsaved");
  let shown = "";
  const look = () => {
    const found = waiting(), now = JSON.stringify(found);
    if (now === shown) return;
    shown = now;
    place.replaceChildren(...found.map((one) => line(one, setTriggerValue)));
  };
  place.replaceChildren();
  look();
  const timer = setInterval(look, AGAIN);
  return () => clearInterval(timer);
}
