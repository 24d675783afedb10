// Shapes of a field, in pixels of the field.
const SVG = "http://www.w3.org/2000/svg";

function make(name, attributes, parent) {
  const one = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  return parent.appendChild(one);
}
