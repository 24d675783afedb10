// A press counts for what it began on, also where that moves or is laid out anew before it ends: a page is laid
// out piece by piece, and the browser takes such a press for nobody's.
(() => {
  const PRESSABLE = "button, summary, label, a[href]", STILL = 8;  // pixels that a hand at rest moves
  let press = null;

  const keyed = (one) => one.closest('[class*="st-key-"]')?.className.match(/st-key-[\w-]+/)?.[0];
  const again = ({ key, text, kind }) => key && [...document.querySelectorAll(`.${key} ${kind}`)]
    .find((one) => one.innerText === text);

  addEventListener("pointerdown", (event) => {
    const on = event.button === 0 && event.pointerType !== "touch" && event.target.closest?.(PRESSABLE);
    press = on && { on, at: event, key: keyed(on), text: on.innerText, kind: on.localName };
  }, true);
  addEventListener("pointercancel", () => { press = null; }, true);
  addEventListener("click", (event) => { if (press?.on.contains(event.target)) press = null; }, true);
  addEventListener("pointerup", (event) => {
    const ended = press;
    if (!ended) return;
    const moved = Math.hypot(event.clientX - ended.at.clientX, event.clientY - ended.at.clientY) > STILL;
    // The browser's own click comes first.
    setTimeout(() => {
      if (press !== ended) return;
      press = null;
      const on = ended.on.isConnected ? ended.on : again(ended);
      if (!moved && on && !on.disabled) on.click();
    });
  }, true);
})();
