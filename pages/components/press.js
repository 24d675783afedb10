// A press counts for what it began on, also where that moves or is laid out anew before it ends: a page is laid
// out piece by piece, and the browser takes such a press for nobody's.
(() => {
  const PRESSABLE = "button, summary, label, a[href]", STILL = 8;  // pixels that a hand at rest moves
  let press = null;

  const place = (one) => { const { left, top } = one.getBoundingClientRect(); return `${left} ${top}`; };
  const name = (one) => [one.innerText, one.ariaLabel, one.getAttribute("href")].join("\n");
  const key = (one) => one.closest('[class*="st-key-"]')?.className.match(/st-key-[\w-]+/)[0];
  const alike = ({ key, kind, name: told }) =>
    key ? [...document.querySelectorAll(`.${key} ${kind}`)].filter((one) => name(one) === told) : [];

  function begun(event) {
    const plain = event.button === 0 && event.pointerType !== "touch"
      && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    const on = plain && event.target.closest?.(PRESSABLE);
    if (!(on instanceof HTMLElement) || on.disabled) return null;
    const it = { on, at: event, place: place(on), kind: on.localName, name: name(on), key: key(on) };
    return { ...it, isOnlyOne: alike(it).length === 1 };
  }

  // What was pressed where it has moved, or what stands for it now; nothing where that is in doubt.
  function meant({ on, place: before, isOnlyOne, ...it }) {
    if (on.isConnected) return place(on) !== before && on;
    const now = alike(it);
    return isOnlyOne && now.length === 1 && now[0];
  }

  function isOpenToAll(one) {
    const { left, top, width, height } = one.getBoundingClientRect();
    const seen = document.elementFromPoint(left + width / 2, top + height / 2);
    return !one.disabled && one.checkVisibility({ visibilityProperty: true }) && (!seen || one.contains(seen));
  }

  addEventListener("pointerdown", (event) => { press = begun(event); }, true);
  addEventListener("pointercancel", () => { press = null; }, true);
  addEventListener("click", (event) => { if (press?.on.contains(event.target)) press = null; }, true);
  addEventListener("pointerup", (event) => {
    const ended = press;
    if (!ended) return;
    const isStill = Math.hypot(event.clientX - ended.at.clientX, event.clientY - ended.at.clientY) <= STILL;
    // The browser's own click comes first.
    setTimeout(() => {
      if (press !== ended) return;
      press = null;
      const one = isStill && meant(ended);
      if (one && isOpenToAll(one)) one.click();
    });
  }, true);
})();
