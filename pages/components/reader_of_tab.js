// A reader's name outlives a reload of the tab, and nothing else: the next person at this machine starts without.
const NAME = "leukemia-reader";
export default function ({ data, setTriggerValue }) {
  try {
    if (data.name) sessionStorage.setItem(NAME, data.name);
    else if (sessionStorage.getItem(NAME)) setTriggerValue("name", sessionStorage.getItem(NAME));
  } catch { /* a browser that keeps nothing */ }
}
