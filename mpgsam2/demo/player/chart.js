/** The drawing of a timeline: lines over frames, where there is no mask, and the frame that is shown. */
class Chart {
  #root;
  #model = null;
  #cursor;
  #points = [];
  #frame = 0;
  #guided = null; // the frame under the pointer

  static #TOP = 12;
  static #PLOT = 148;
  static #EDGE = 10; // half the scrubber's thumb, so that cursor and thumb stand above each other
  static #LANE = 12;

  constructor(root) {
    this.#root = root;
    new ResizeObserver(() => this.#redraw()).observe(root);
  }

  /** Draws so many frames: the lines, and per query (all of them, or one) where it has a mask. */
  show(frames, lines, queries) {
    this.#model = { frames, lines, queries };
    this.#redraw();
  }

  /** Sets the cursor, and a second one under the pointer or null. */
  moveTo(frame, guided = null) {
    [this.#frame, this.#guided] = [frame, guided];
    this.#moveCursor();
  }

  /** The frame nearest to a place in the window. */
  frameAt(clientX) {
    const share = (clientX - this.#root.getBoundingClientRect().left - this.#left) / (this.#right - this.#left);
    return clamp(Math.round(share * (this.#model.frames - 1)), 0, this.#model.frames - 1);
  }

  get #left() {
    return parseFloat(getComputedStyle(this.#root).getPropertyValue("--gutter")) + Chart.#EDGE;
  }

  get #right() {
    return this.#root.clientWidth - Chart.#EDGE;
  }

  #x(frame) {
    return this.#left + ((this.#right - this.#left) * frame) / Math.max(1, this.#model.frames - 1);
  }

  #y(value) {
    return Chart.#TOP + Chart.#PLOT * (1 - value);
  }

  #redraw() {
    if (!this.#model || !this.#root.clientWidth) return;
    const { lines, queries } = this.#model;
    const lanes = queries.length > 1 ? queries.length * Chart.#LANE + 6 : 0;
    const height = Chart.#TOP + Chart.#PLOT + lanes + 24;
    const svg = draw("svg", { height, "aria-hidden": "true" });
    svg.append(...this.#scale());
    if (lanes) queries.forEach((query, index) => svg.append(...this.#lane(query, index)));
    else svg.append(...this.#absences(queries[0]));
    svg.append(...lines.map((line) => this.#curve(line)), ...this.#ticks(height - 6));
    this.#points = lines.map(({ colour }) => coloured(draw("circle", { class: "point ink", r: 4 }), colour));
    this.#cursor = { line: draw("line", { class: "cursor" }), guide: draw("line", { class: "guide" }) };
    for (const line of Object.values(this.#cursor)) filled(line, { y1: Chart.#TOP - 8, y2: height - 22 }, []);
    svg.append(this.#cursor.guide, this.#cursor.line, ...this.#points);
    this.#root.replaceChildren(svg);
    this.#moveCursor();
  }

  #moveCursor() {
    if (!this.#cursor) return;
    const { lines } = this.#model;
    const seen = this.#guided ?? this.#frame;
    this.#cursor.guide.style.display = this.#guided === null ? "none" : "";
    filled(this.#cursor.line, { x1: this.#x(this.#frame), x2: this.#x(this.#frame) }, []);
    filled(this.#cursor.guide, { x1: this.#x(seen), x2: this.#x(seen) }, []);
    this.#points.forEach((point, index) => {
      const value = lines[index].values[seen] ?? null;
      point.style.display = value === null ? "none" : "";
      filled(point, { cx: this.#x(seen), cy: this.#y(value) }, []);
    });
  }

  #scale() {
    return [0, 0.5, 1].flatMap((value) => {
      const y = this.#y(value);
      const [x1, x2] = [this.#left - Chart.#EDGE, this.#right + Chart.#EDGE];
      const label = draw("text", { x: x1 - 8, y: y + 4, "text-anchor": "end" }, String(value));
      return [draw("line", { class: "grid", x1, x2, y1: y, y2: y }), label];
    });
  }

  /** Numbers of frames, from 1, at round steps that leave room for them. */
  #ticks(y) {
    const { frames } = this.#model;
    const room = Math.max(2, (this.#right - this.#left) / 64);
    const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((step) => frames / step <= room) ?? frames;
    const numbers = [1, ...Array.from({ length: Math.floor(frames / step) }, (_, k) => (k + 1) * step)];
    return [...new Set(numbers)]
      .filter((number) => number === 1 || number > 0.6 * step)
      .map((number) => draw("text", { x: this.#x(number - 1), y, "text-anchor": "middle" }, String(number)));
  }

  #curve({ colour, dash, values }) {
    let [path, pen] = ["", "M"];
    values.forEach((value, frame) => {
      if (value === null) {
        pen = "M";
        return;
      }
      path += `${pen}${this.#x(frame).toFixed(1)} ${this.#y(value).toFixed(1)}`;
      pen = "L";
    });
    return coloured(draw("path", { class: "series ink", d: path, "stroke-dasharray": dash }), colour);
  }

  /** The left and right end of a stretch of frames, half a frame beyond its first and last. */
  #span([first, last]) {
    const half = (this.#x(1) - this.#x(0)) / 2;
    const left = Math.max(this.#x(first) - half, this.#left - Chart.#EDGE);
    return [left, Math.min(this.#x(last) + half, this.#right + Chart.#EDGE)];
  }

  #absences(query) {
    const hatch = draw("pattern", { id: `${this.#id}-hatch`, width: 7, height: 7, patternUnits: "userSpaceOnUse" });
    hatch.append(draw("path", { class: "hatch", d: "M-1 8L8 -1M-1 1L1 -1M6 8L8 6" }));
    const bands = stretches(query, false).flatMap((stretch) => {
      const [left, right] = this.#span(stretch);
      const box = { x: left, y: this.#y(1), width: right - left, height: Chart.#PLOT };
      const band = [
        draw("rect", { class: "absent", ...box }),
        draw("rect", { ...box, fill: `url(#${this.#id}-hatch)` }),
      ];
      if (right - left < 64) return band;
      const label = { x: (left + right) / 2, y: this.#y(1) + 18, "text-anchor": "middle", class: "no-mask" };
      return [...band, draw("text", label, "no mask")];
    });
    return [draw("defs", {}, hatch), ...bands];
  }

  #lane(query, index) {
    const y = this.#y(0) + 9 + index * Chart.#LANE;
    const x = this.#left - Chart.#EDGE - 8;
    const letter = draw("text", { class: "lane", x, y: y + 7, "text-anchor": "end" }, query.letter);
    const bars = stretches(query, true).map((stretch) => {
      const [left, right] = this.#span(stretch);
      const bar = { class: "found ink", x: left, y, width: Math.max(2, right - left), height: 6, rx: 3 };
      return coloured(draw("rect", bar), query.colour);
    });
    const [x1, x2] = [this.#left - Chart.#EDGE, this.#right + Chart.#EDGE];
    return [letter, draw("line", { class: "grid", x1, x2, y1: y + 3, y2: y + 3 }), ...bars];
  }

  get #id() {
    return this.#root.closest("[id]").id;
  }
}
