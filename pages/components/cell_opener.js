// The cards are HTML beside this component and may be drawn anew at any time: one listener hears them all.
export default function ({ parentElement, setTriggerValue }) {
  parentElement.leukemiaTell = (key) => setTriggerValue("opened", key);
  const listen = (event) => {
    const pressed = event.target.closest?.("button[data-open]");
    if (pressed) parentElement.leukemiaTell(pressed.dataset.open);
  };
  document.addEventListener("click", listen);
  return () => document.removeEventListener("click", listen);
}
