// What can be done in the grid, by which key; how cells can be sorted and which are shown.
const ACTIONS = [
  ["ALL-like", "a", "ALL-like, next cell"], ["Normal-like", "n", "Normal-like, next cell"],
  ["Indeterminate", "i", "Indeterminate, next cell"], ["Rejected", "r", "Reject, with a reason"],
  ["undo", "u", "Undo what you gave last"], ["sort", "s", "Sort in another way"], ["help", "?", "Show all keys"],
];
const FIXED = [
  ["Arrows, Home, End", "Move"], ["Shift + arrows", "Select a range"], ["Space", "Select or deselect this cell"],
  ["Ctrl + A", "Select all shown"], ["Escape", "Deselect all"], ["Enter", "Open this cell large"],
];
const SORTS = {
  "In order of arrival": (cell) => cell.number,
  "Most uncertain first": (cell) => cell.uncertainty ?? Infinity,
  "Highest probability first": (cell) => -(cell.probability ?? -1),
  "Without your verdict first": (cell) => (cell.own ? 1 : 0),
};
const SHOWN = {
  "All cells": () => true,
  "Without your verdict": (cell) => !cell.own,
  "Needs a verdict": (cell) => cell.needed,
  "Disputed": (cell) => cell.status === "disputed",
};
function stored(store, name, otherwise) {
  try { return JSON.parse(store.getItem(name)) ?? otherwise; } catch { return otherwise; }
}
function store(where, name, value) {
  try { where.setItem(name, JSON.stringify(value)); } catch { /* a browser that keeps nothing */ }
}
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");
}
// Where there is no picture, nothing can be said of the cell: it is left out of what is given to many at once.
function withoutPicture(cells, numbers) {
  return cells.filter((cell) => !cell.picture && numbers.includes(cell.number)).map((cell) => cell.number);
}
function onlyRejected(numbers) {
  if (!numbers.length) return "";
  return numbers.length === 1 ? `Cell ${numbers[0]} has no picture: it can only be rejected.`
    : `${numbers.length} cells have no picture: they can only be rejected.`;
}
