/** How an answer came about, frame by frame: closed at first, and its file is fetched when it is opened. */
class Insight {
  #root;
  #onSeek;
  #address = null;
  #queries = null; // see `demo.insight`
  #together = 0;
  #query = 0;
  #frame = 0;

  /** @param onSeek called with a frame. */
  constructor(root, onSeek) {
    [this.#root, this.#onSeek] = [root, onSeek];
    root.addEventListener("toggle", () => this.#load());
    const strip = root.querySelector("canvas");
    strip.addEventListener("click", ({ offsetX }) => {
      this.#onSeek(Math.floor((offsetX / strip.clientWidth) * strip.width));
    });
  }

  /** @param file of the result that is shown; null where nothing was asked. */
  show(file) {
    [this.#address, this.#queries, this.#query] = [file?.url ?? null, null, 0];
    this.#root.hidden = !file;
    this.#load();
  }

  set query(query) {
    this.#query = query;
    this.#drawStrip();
    this.moveTo(this.#frame);
  }

  moveTo(frame) {
    this.#frame = frame;
    if (!this.#queries || !this.#root.open) return;
    const { pieces, words, frames, memories } = this.#queries[this.#query];
    this.#one(".words").replaceChildren(...wordEntries(pieces, words[frame] ?? []));
    this.#one(".memories").replaceChildren(...this.#memoryEntries(memories[frame], frame));
    const row = this.#one(".strip i");
    row.style.setProperty("--row", frame);
    row.style.setProperty("--rows", frames.length);
    const dealt = this.#together && this.#together < frames.length;
    const why = dealt ? ` At most ${this.#together} frames, spread over the clip, are seen together.` : "";
    this.#one(".drawn").textContent = `${drawnFrom(frames[frame])}${why}`;
  }

  async #load() {
    if (!this.#address || !this.#root.open || this.#queries) return;
    const address = this.#address;
    const response = await fetch(address);
    if (!response.ok || address !== this.#address) return;
    ({ queries: this.#queries, together: this.#together } = await response.json());
    this.#drawStrip();
    this.moveTo(this.#frame);
  }

  /** The strip: a row for each frame, a column for each that it draws from, the brighter the more; relative to its row. */
  #drawStrip() {
    if (!this.#queries) return;
    const { frames } = this.#queries[this.#query];
    const strip = this.#one("canvas");
    [strip.width, strip.height] = [frames.length, frames.length];
    const context = strip.getContext("2d");
    frames.forEach((row, y) => {
      const most = Math.max(1, ...(row?.share ?? []));
      row?.from.forEach((x, index) => {
        context.fillStyle = `rgb(86 180 233 / ${0.08 + 0.92 * (row.share[index] / most)})`;
        context.fillRect(x, y, 1, 1);
      });
    });
  }

  #memoryEntries(memory, frame) {
    if (!memory) {
      const why = frame ? "What the tracker remembers was not looked at here." : "The first frame has no memories.";
      return [make("li", { class: "none" }, why)];
    }
    const entries = memory.from.map((from, index) => {
      const button = make("button", { type: "button" }, `Frame ${from + 1}`);
      button.addEventListener("click", () => this.#onSeek(from));
      return bar(button, memory.share[index]);
    });
    return [...entries, bar(make("span", {}, "Object pointers"), memory.pointers)];
  }

  #one(selector) {
    return this.#root.querySelector(selector);
  }
}

/** The words of the sentence, each with its share of the class token's attention. */
function wordEntries(pieces, shares) {
  return pieces.map((piece, index) => bar(make("span", {}, piece), shares[index] ?? 0));
}

/** A name and its share, in thousandths, as a bar. */
function bar(name, share) {
  const entry = make("li", {}, name, make("i", {}), make("b", {}, `${(share / 10).toFixed(share < 100 ? 1 : 0)} %`));
  entry.style.setProperty("--share", share / 1000);
  return entry;
}

/** From which frames most is drawn, in words. */
function drawnFrom(row) {
  if (!row) return "";
  const most = row.from.map((frame, index) => [row.share[index], frame + 1]).sort(([a], [b]) => b - a).slice(0, 3);
  return `Most from ${most.map(([share, frame]) => `frame ${frame} (${(share / 10).toFixed(0)} %)`).join(", ")}.`;
}
