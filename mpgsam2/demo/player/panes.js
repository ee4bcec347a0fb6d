/** One of the three pictures: nothing, a still of a run that goes on, or a video. */
class Pane {
  #still;
  #note;
  #files;
  #takes; // the buttons that take the video or a frame of it home
  #letter = null; // of the query that is shown, where there are several
  #shown = null; // the file that is shown or on its way

  constructor(figure, files) {
    this.figure = figure;
    this.title = figure.querySelector("h2").firstChild.data.trim();
    this.video = figure.querySelector("video");
    this.enlarge = figure.querySelector(".enlarge");
    this.#still = figure.querySelector("img");
    this.#note = figure.querySelector(".note");
    this.#files = files;
    this.#takes = { video: figure.querySelector(".take-video"), frame: figure.querySelector(".take-frame") };
    this.video.muted = true; // as browsers ask of what plays by itself
    this.#still.addEventListener("load", () => this.#shape(this.#still.naturalWidth, this.#still.naturalHeight));
    this.video.addEventListener("loadeddata", () => this.#reveal());
    this.video.addEventListener("error", () => this.video.src && this.#say("This video could not be loaded."));
  }

  showNothing() {
    this.#still.hidden = true;
    this.#still.removeAttribute("src");
    this.#drop();
  }

  /** A picture of the newest frame. */
  showStill(address, text) {
    this.#drop();
    this.#still.src = address;
    this.#still.alt = text;
    this.#still.hidden = false;
  }

  /** Shows a file of the given size as soon as it can be played; what was there stays until then. */
  async showVideo(file, text, width, height) {
    this.#shape(width, height);
    this.video.setAttribute("aria-label", text);
    if (this.#shown === file.url) return;
    this.#shown = file.url;
    if (this.#still.hidden && this.video.hidden) this.#say("Loading …");
    const address = await this.#files.get(file.url);
    if (this.#shown === file.url) this.video.src = address;
  }

  /** Has something done when the visitor wants the video, or the frame that it shows: called with its name. */
  onTake(takeVideo, takeFrame) {
    const parts = () => [this.figure.dataset.pane, ...(this.#letter ? [this.#letter] : [])];
    this.#takes.video.addEventListener("click", () => takeVideo(this.video, parts()));
    this.#takes.frame.addEventListener("click", () => takeFrame(this.video, parts()));
  }

  /** Which query's picture this is; none where the run has only one. */
  set query(query) {
    this.#letter = query?.letter ?? null;
    this.figure.querySelector("h2 .letter")?.remove();
    if (query) this.figure.querySelector("h2").append(badge(query));
  }

  #shape(width, height) {
    this.figure.style.setProperty("--ratio", `${width} / ${height}`);
  }

  #reveal() {
    this.video.hidden = false;
    this.#still.hidden = true;
    for (const button of Object.values(this.#takes)) button.hidden = false;
    this.#say("");
  }

  #drop() {
    this.#shown = null;
    this.video.hidden = true;
    for (const button of Object.values(this.#takes)) button.hidden = true;
    this.video.removeAttribute("src");
    this.video.load();
    this.#say("");
  }

  #say(text) {
    this.#note.textContent = text;
  }
}

/**
 * The entries of the overlay's legend; with several queries, each with its line on the timeline.
 * @param onRecolour called with the number of a query whose colour shall change; null where none can.
 */
function legendEntries(queries, onRecolour) {
  return queries.map((query, index) => {
    const entry = make("li", {}, onRecolour ? recolouring(query, () => onRecolour(index)) : badge(query));
    if (queries.length > 1) entry.append(sample(query.colour, DASHES[index]));
    const sentence = make("span", { class: "sentence", title: query.expression, dir: "auto" }, query.expression);
    if (query.without?.length) sentence.append(" ", make("em", {}, withoutText(query)));
    entry.append(sentence);
    return entry;
  });
}

function recolouring(query, onClick) {
  const button = make("button", { type: "button", class: "recolour", title: "Next colour" }, badge(query));
  button.setAttribute("aria-label", `Next colour for ${query.letter}`);
  button.addEventListener("click", onClick);
  return button;
}

function withoutText(query) {
  return `without ${query.without.map((part) => part.replaceAll("_", " ")).join(", ")}`;
}
