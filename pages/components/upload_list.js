// The list of an uploader's files is one stop of the Tab key; the arrow keys move within it.
const BUTTONS = '[data-testid="stFileChipDeleteBtn"] button';
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

export default function () {
  let at = 0;
  const order = () => {
    const buttons = [...document.querySelectorAll(BUTTONS)];
    at = Math.max(0, Math.min(at, buttons.length - 1));
    buttons.forEach((button, number) => {
      const stop = number === at ? 0 : -1;
      if (button.tabIndex !== stop) button.tabIndex = stop;
    });
    return buttons;
  };
  const move = (event) => {
    const pressed = event.target.closest?.(BUTTONS);
    if (!pressed || !STEPS[event.key]) return;
    event.preventDefault();
    at = order().indexOf(pressed) + STEPS[event.key];
    order()[at]?.focus();
  };
  // Streamlit draws the list anew when files come and go.
  const watching = new MutationObserver(order);
  watching.observe(document.body, { childList: true, subtree: true });
  document.addEventListener("keydown", move);
  order();
  return () => {
    watching.disconnect();
    document.removeEventListener("keydown", move);
  };
}
