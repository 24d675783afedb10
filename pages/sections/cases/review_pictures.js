// Keeps the pictures of a case's cells in the page: they are sent once, the answers and verdicts with each change.
export default function ({ data }) {
  const held = globalThis.leukemiaPictures;
  const store = held && held.case === data.case ? held : { case: data.case, of: new Map() };
  globalThis.leukemiaPictures = store;
  for (const [number, picture] of Object.entries(data.pictures)) store.of.set(Number(number), picture);
  globalThis.dispatchEvent(new Event("leukemia-pictures"));
}
