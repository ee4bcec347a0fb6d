// Making elements, and numbers in words. Text goes in as text, never as HTML: some of it comes from visitors.

/** An HTML element with attributes and children, which are nodes or texts. */
function make(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
function draw(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** A node that takes a query's or quantity's colour. */
function coloured(node, colour) {
  node.style.setProperty("--colour", colour);
  return node;
}

/** How each of several lines is dashed, so that they can be told apart without their colours. */
const DASHES = ["none", "9 4", "2 3", "11 3 2 3", "5 3", "1 3 6 3"];

/** A short piece of a line, for legends. */
function sample(colour, dash) {
  const svg = draw("svg", { class: "sample ink", viewBox: "0 0 26 10", "aria-hidden": "true" });
  svg.append(draw("path", { d: "M0 5H26", "stroke-dasharray": dash }));
  return coloured(svg, colour);
}

/** A letter on its query's colour. */
function badge(query) {
  return coloured(make("b", { class: "letter" }, query.letter), query.colour);
}

/** Fills a fieldset with one segment per choice, each an array of nodes; the first is taken. */
function fillSegments(fieldset, choices, taken, onChoose) {
  fieldset.querySelectorAll("label").forEach((label) => label.remove());
  choices.forEach((nodes, index) => {
    const input = make("input", { type: "radio", name: `${fieldset.closest("[id]").id}-${fieldset.className}` });
    input.checked = index === taken;
    input.addEventListener("change", () => onChoose(index));
    fieldset.append(make("label", {}, input, ...nodes));
  });
}

/** Seconds as "0:01.25". */
function clockTime(seconds) {
  const hundredths = Math.floor(seconds * 100 + 1e-6);
  const [minutes, rest] = [Math.floor(hundredths / 6000), hundredths % 6000];
  return `${minutes}:${(rest / 100).toFixed(2).padStart(5, "0")}`;
}

/** "30000/1001" or "24" as a number. */
function frameRate(fraction) {
  const [numerator, denominator = 1] = String(fraction).split("/").map(Number);
  return numerator / denominator;
}

/** When each of a record's first frames is shown, and when the last of them has been, in seconds. */
function frameTimes({ times, fps }, frames) {
  const step = 1 / frameRate(fps);
  if (!times) return Array.from({ length: frames + 1 }, (_, frame) => frame * step);
  return [...times.slice(0, frames), times[frames] ?? times[frames - 1] + step];
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
