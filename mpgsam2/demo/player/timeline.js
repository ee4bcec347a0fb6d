/** What happened in a run, in words and as a chart whose lines can be chosen; a click or drag in it seeks. */
class Timeline {
  #root;
  #chart;
  #slider;
  #meanings;
  #record = null;
  #groups = [];
  #group = 0;
  #hidden = new Set(); // ids of the lines that are switched off
  #frame = 0;
  #guided = null;
  #onSeek;

  /** @param onSeek called with a frame. */
  constructor(root, onSeek) {
    [this.#root, this.#onSeek] = [root, onSeek];
    this.#slider = root.querySelector(".chart");
    this.#chart = new Chart(this.#slider);
    this.#meanings = new Meanings(root.querySelector(".meaning"));
    this.#slider.addEventListener("pointerdown", (event) => {
      this.#slider.setPointerCapture(event.pointerId);
      this.#onSeek(this.#chart.frameAt(event.clientX));
    });
    this.#slider.addEventListener("pointermove", (event) => this.#point(event));
    this.#slider.addEventListener("pointerleave", () => this.#guide(null));
  }

  clear() {
    this.#record = null;
    this.#meanings.close();
    this.#root.querySelector(".told").hidden = this.#root.querySelector(".plot").hidden = true;
    this.#root.querySelector(".promise").hidden = false;
  }

  show(record) {
    this.#record = record;
    this.#groups = groupsOf(record);
    this.#hidden.clear();
    this.#guided = null;
    const told = this.#root.querySelector(".told");
    told.replaceChildren(...toldEntries(record));
    told.hidden = this.#root.querySelector(".plot").hidden = false;
    this.#root.querySelector(".promise").hidden = true;
    const quantities = this.#root.querySelector(".quantities");
    quantities.hidden = this.#groups.length === 1;
    const names = this.#groups.map(({ name, what = "" }) => [make("span", { title: what }, name)]);
    fillSegments(quantities, names, 0, (index) => this.#choose(index));
    filled(this.#slider, { "aria-valuemax": this.#frames }, []);
    this.#choose(0);
  }

  moveTo(frame) {
    this.#frame = frame;
    if (this.#record) this.#tell();
  }

  /** The values of the frame that is shown, in words. */
  get valuesInWords() {
    return this.#lines.map((line) => `${line.name} ${line.text(this.#frame)}`).join(", ");
  }

  get #frames() {
    return this.#record.queries[0].frames.length;
  }

  get #lines() {
    return this.#groups[this.#group].lines.filter(({ id }) => !this.#hidden.has(id));
  }

  #choose(group) {
    this.#group = group;
    const { name, what, lines } = this.#groups[group];
    const help = what ? [this.#meanings.button(name, what)] : [];
    const values = lines.map((line) => this.#value(line));
    this.#meanings.close();
    this.#root.querySelector(".values").replaceChildren(make("span", { class: "at" }), ...help, ...values);
    this.#redraw();
  }

  /** A line's button, and what the line means unless it stands for a whole sentence. */
  #value(line) {
    const help = this.#record.queries.length === 1 ? [this.#meanings.button(line.name, line.what)] : [];
    return make("span", { class: "value" }, this.#lineButton(line), ...help);
  }

  #lineButton(line) {
    const button = make("button", { type: "button", title: line.what, "aria-pressed": !this.#hidden.has(line.id) });
    button.append(sample(line.colour, line.dash), line.name, make("b"));
    button.addEventListener("click", () => {
      if (!this.#hidden.delete(line.id)) this.#hidden.add(line.id);
      button.setAttribute("aria-pressed", !this.#hidden.has(line.id));
      this.#redraw();
    });
    return button;
  }

  #redraw() {
    this.#chart.show(this.#frames, this.#lines, this.#record.queries);
    this.#tell();
  }

  #tell() {
    const seen = this.#guided ?? this.#frame;
    this.#chart.moveTo(this.#frame, this.#guided);
    this.#root.querySelector(".values .at").textContent = `Frame ${seen + 1}`;
    this.#root.querySelectorAll(".values .value b").forEach((value, index) => {
      value.textContent = this.#groups[this.#group].lines[index].text(seen);
    });
    const text = `Frame ${this.#frame + 1}: ${this.valuesInWords}`;
    filled(this.#slider, { "aria-valuenow": this.#frame + 1, "aria-valuetext": text }, []);
  }

  #point(event) {
    const frame = this.#chart.frameAt(event.clientX);
    if (!this.#slider.hasPointerCapture(event.pointerId)) this.#guide(frame);
    else if (frame !== this.#frame) this.#onSeek(frame);
  }

  #guide(frame) {
    this.#guided = frame;
    if (this.#record) this.#tell();
  }
}

/** The verdict on each query, its mean scores where there are any, and whether the run came to its end. */
function toldEntries(record) {
  const entries = record.queries.map((query) => {
    const text = make("p", {}, make("strong", {}, query.summary));
    const means = Object.entries(query.mean ?? {}).map(([name, value]) => `${name} ${value.toFixed(2)}`);
    const scored = query.frames.filter((entry) => "J" in entry).length;
    const part = scored < query.frames.length ? ` over ${scored} of ${query.frames.length} frames` : "";
    if (means.length) text.append(" ", make("span", {}, `mean ${means.join(" · ")}${part}`));
    return make("li", {}, ...(record.queries.length > 1 ? [badge(query)] : []), text);
  });
  if (record.complete) return entries;
  return [...entries, make("li", { class: "stopped" }, `${stoppedText(record)} frames.`)];
}

/** How far a run came that did not come to its end: "Stopped after 7 of 300". */
function stoppedText(record) {
  return `Stopped after ${record.queries[0].frames.length} of ${record.asked ?? record.frames}`;
}
