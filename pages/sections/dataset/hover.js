// Asks for the picture of the dot under the pointer and shows it beside the pointer.
const WAIT = 60; // milliseconds that the pointer rests before a picture is asked for

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const box = parentElement.querySelector(".hovered");
  const state = (parentElement.leukemia ??= { pictures: new Map(), over: "", at: [0, 0], timer: 0 });
  state.ask = (id) => setTriggerValue("over", id);
  state.show = () => {
    const picture = state.pictures.get(state.over);
    box.hidden = !picture;
    if (!picture) return;
    box.innerHTML = "";
    const image = document.createElement("img");
    image.alt = "";
    image.src = "data:image/jpeg;base64," + picture;
    box.append(image);
    const [x, y] = state.at;
    // Above or below the text that the chart itself shows beside the dot.
    const below = y + 44 + 136 < innerHeight;
    box.style.left = Math.min(innerWidth - 136, Math.max(4, x - 64)) + "px";
    box.style.top = (below ? y + 44 : y - 44 - 128) + "px";
  };
  if (data.id && data.picture) state.pictures.set(data.id, data.picture);
  state.show();

  const attach = () => {
    const plot = document.querySelector(`.st-key-${data.chart} .js-plotly-plot`);
    if (!plot?.on || plot.leukemiaFollowed === state) return;
    plot.leukemiaFollowed = state;
    plot.on("plotly_hover", (event) => {
      const id = event.points[0]?.customdata?.[0];
      if (!id) return;
      state.over = id;
      state.at = [event.event.clientX, event.event.clientY];
      clearTimeout(state.timer);
      if (state.pictures.has(id)) state.show();
      else state.timer = setTimeout(() => state.ask(id), WAIT);
    });
    plot.on("plotly_unhover", () => {
      state.over = "";
      clearTimeout(state.timer);
      box.hidden = true;
    });
  };
  attach();
  const looking = setInterval(attach, 500);
  return () => {
    clearInterval(looking);
    clearTimeout(state.timer);
  };
}
