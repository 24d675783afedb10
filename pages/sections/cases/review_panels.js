// The panels above the grid: why a cell is rejected, and all keys, which can be changed there.
function buildReject(review) {
  const form = review.get(".reject");
  const input = make("input", "reason");
  input.setAttribute("aria-label", "Another reason");
  input.placeholder = "or another reason, then Enter";
  input.maxLength = 2000;
  const done = (reason) => {
    if (reason === "") return input.focus();
    if (reason !== null && review.away(review.asked)) return;
    form.hidden = true;
    if (reason !== null) review.give("Rejected", reason, review.asked);
    review.bring();
    review.get(".cells").focus({ preventScroll: true });
  };
  const choices = review.data.reasons.map((reason, place) => {
    const button = make("button", "", make("kbd", "", `${place + 1} `), reason);
    button.type = "button";
    button.addEventListener("click", () => done(reason));
    return button;
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); done(input.value.trim()); });
  form.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") done(null);
    const reason = input.value === "" && review.data.reasons[Number(event.key) - 1];
    if (reason) { event.preventDefault(); done(reason); }
  });
  form.replaceChildren(make("p", "question"), make("div", "choices", ...choices), input);
}
// Of these cells, whatever becomes the current one meanwhile.
function askReason(review, numbers) {
  const form = review.get(".reject"), input = form.querySelector("input");
  review.asked = numbers;
  const asked = numbers.length === 1 ? `Why is cell ${numbers[0]} rejected?` : `Why are these ${numbers.length} cells rejected?`;
  form.querySelector(".question").textContent = `${asked} Press a number, or type a reason. Escape: not rejected.`;
  review.get(".help").hidden = true;
  form.hidden = false;
  input.value = "";
  review.say("");
  review.bring(numbers.find((number) => review.inView(number)));
  input.focus({ preventScroll: true });
}
function toggleHelp(review) {
  const help = review.get(".help");
  help.hidden = !help.hidden;
  if (help.hidden) return review.get(".cells").focus({ preventScroll: true });
  review.get(".reject").hidden = true;
  const fields = ACTIONS.map(([name, , what]) => {
    const input = make("input");
    input.value = review.keys[name].toUpperCase();
    input.addEventListener("keydown", (event) => {
      if (["Tab", "Escape", "Shift"].includes(event.key)) return;
      event.preventDefault();
      const key = event.key.toLowerCase();
      if (key.length !== 1 || key === " " || Object.entries(review.keys).some(([other, own]) => other !== name && own === key))
        return review.say(`The key ${event.key} is taken or cannot be used.`);
      review.keys[name] = key;
      input.value = key.toUpperCase();
      review.saveKeys();
    });
    return make("label", "", what, input);
  });
  const reset = make("button", "reset", "Back to the usual keys"), close = make("button", "close", "Close");
  reset.addEventListener("click", () => {
    review.keys = Object.fromEntries(ACTIONS.map(([name, key]) => [name, key]));
    review.saveKeys();
    help.hidden = true;
    toggleHelp(review);
  });
  close.addEventListener("click", () => toggleHelp(review));
  help.onkeydown = (event) => { event.stopPropagation(); if (event.key === "Escape") toggleHelp(review); };
  const fixed = FIXED.map(([key, what]) => make("label", "", what, make("kbd", "", key)));
  help.replaceChildren(make("p", "", "To change a key, press another one in its field. It is kept in this browser."),
    make("div", "keys", ...fields, ...fixed), make("div", "choices", close, reset));
  close.focus({ preventScroll: true });
}
