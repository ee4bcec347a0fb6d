/** The whole: shows the component's value, and answers buttons and keys. */
class Player {
  #root;
  #panes = {};
  #files = new Files();
  #transport;
  #timeline;
  #controls;
  #look;
  #overlay;
  #insight;
  #coming = false; // whether a run's last picture is there until its result's videos are
  #wanted = null; // the name of a file that is being made for the visitor to take home
  #value = null;
  #saying = 0;

  static #SPEEDS = [0.25, 0.5, 1, 2];
  static #STILL = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(element) {
    this.#root = element.querySelector(".player");
    for (const figure of this.#all(".pane")) this.#panes[figure.dataset.pane] = new Pane(figure, this.#files);
    const { prior, masks, overlay } = this.#panes;
    const moved = () => this.#moved();
    this.#transport = new Transport(overlay.video, [prior.video, masks.video], moved, () => this.#playingChanged());
    this.#timeline = new Timeline(this.#one(".timeline"), (frame) => this.#transport.seek(frame));
    this.#insight = new Insight(this.#one(".insight"), (frame) => this.#transport.seek(frame));
    this.#controls = this.#one(".controls");
    this.#look = new Look(this.#one(".look"), () => this.#lookChanged());
    this.#overlay = new Overlay(overlay.video, overlay.figure.querySelector("canvas"), this.#look);
    for (const type of ["loadeddata", "error"]) overlay.video.addEventListener(type, () => this.#came());
    this.#listen();
    this.#root.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Shows a value: see `PlayerValue`. */
  show(value) {
    const before = this.#root.dataset.state;
    const state = value?.live ? "live" : value?.record ? "result" : "blank";
    this.#value = value;
    this.#root.dataset.state = state;
    this.#controls.disabled = state !== "result";
    this.#coming = state === "result" && before === "live";
    if (before !== "live" || state === "blank") this.#clear();
    if (state === "blank" || (state === "result" && before !== "live")) {
      Object.values(this.#panes).forEach((pane) => pane.showNothing());
    }
    if (state === "live") this.#showLive(value.live);
    if (state === "result") this.#showResult(value);
    this.#lookChanged();
  }

  /** Takes away what belongs to a result, but for the pictures. */
  #clear() {
    this.#transport.load([0, 1]);
    this.#files.clear();
    this.#overlay.hide();
    this.#insight.show(null);
    this.#timeline.clear();
    this.#one(".legend").replaceChildren();
    this.#place(0, 1);
    this.#one(".place").replaceChildren();
    this.#one(".queries").hidden = this.#one(".threshold").hidden = true;
    for (const pane of Object.values(this.#panes)) pane.query = null;
  }

  #showLive({ frame, frames, ...pictures }) {
    for (const [name, pane] of Object.entries(this.#panes)) {
      pane.showStill(pictures[name], `${pane.title} of frame ${frame + 1}`);
    }
    this.#place(frame, frames);
  }

  #showResult({ record, overlay, layers }) {
    const frames = record.queries[0].frames.length;
    const queries = this.#painted;
    const drawn = this.#drawsItself;
    this.#look.queries = record.queries;
    if (this.#coming) for (const part of [this.#timeline, this.#insight]) part.moveTo(frames - 1);
    const recolour = (index) => this.#look.recolour(index);
    this.#timeline.show({ ...record, queries });
    this.#one(".legend").replaceChildren(...legendEntries(queries, drawn ? recolour : null));
    this.#one(".threshold").hidden = false;
    this.#fillQueries(queries);
    const described = record.queries.map((query) => query.description).join("; ");
    const times = frameTimes(record, frames);
    if (drawn) this.#overlay.show(layers, record, times);
    const loaded = [this.#showVideo("overlay", drawn ? layers.clip : overlay, described), ...this.#showQuery(0)];
    this.#insight.show(layers?.insight);
    this.#transport.load(times);
    if (this.#wanted) this.#takeOverlay(this.#wanted);
    this.#wanted = null;
    if (!Player.#STILL.matches) Promise.all(loaded).then(() => this.#value.record === record && this.#transport.play());
  }

  #fillQueries(queries) {
    const chooser = this.#one(".queries");
    chooser.hidden = queries.length === 1;
    const choices = queries.map((query) => [badge(query), make("span", { class: "unseen" }, query.expression)]);
    fillSegments(chooser, choices, 0, (index) => {
      this.#showQuery(index);
      this.#insight.query = index;
    });
    chooser.querySelectorAll("label").forEach((label, index) => (label.title = queries[index].expression));
  }

  /** Whether the overlay is drawn here; else it is the video that the server has made of it. */
  get #drawsItself() {
    return Boolean(this.#value?.layers) && Overlay.CAN;
  }

  /** The record's queries, each in the colour that is chosen for it. */
  get #painted() {
    return this.#value.record.queries.map((query, index) => ({ ...query, colour: `var(--query-${index})` }));
  }

  /** What is seen follows the look. */
  #lookChanged() {
    const record = this.#root.dataset.state === "result" ? this.#value.record : null;
    const drawn = record && this.#drawsItself;
    const threshold = drawn ? this.#look.threshold : record?.settings.threshold;
    record?.queries.forEach(({ colour }, index) => {
      const chosen = drawn ? PALETTE[this.#look.colour(index)].colour : colour;
      this.#root.style.setProperty(`--query-${index}`, chosen);
    });
    if (record) {
      this.#one(".threshold").style.setProperty("--threshold", threshold);
      this.#one(".threshold").title = `threshold ${threshold}`;
    }
    const cutElsewhere = drawn && Math.abs(threshold - record.settings.threshold) > 1e-6;
    this.#one(".of-the-run").textContent = cutElsewhere
      ? `Verdict and timeline are of the threshold ${record.settings.threshold.toFixed(2)}.`
      : "";
    if (drawn) this.#overlay.redraw();
  }

  /** Takes the overlay's video home; in another look than its own it is made first. */
  async #takeOverlay(name) {
    const files = this.#relooked && document.querySelector("#bundle");
    if (files) {
      this.#wanted = name;
      document.body.dataset.videoOnly = true;
      files.click();
    } else takeHome(await this.#files.get(this.#value.overlay.url), name);
  }

  /** Whether the overlay is drawn in another look than its file. */
  get #relooked() {
    return this.#root.dataset.state === "result" && this.#drawsItself && !this.#look.isThatOf(this.#value.record);
  }

  /** Shows the prior and the masks of one query, at the frame that is shown. */
  #showQuery(index) {
    const { record, queries } = this.#value;
    const query = this.#painted[index];
    return ["prior", "masks"].map((name) => {
      this.#panes[name].query = record.queries.length > 1 ? query : null;
      return this.#showVideo(name, queries[index][name], query.description);
    });
  }

  #showVideo(name, file, description) {
    const { width, height } = this.#value.record;
    return this.#panes[name].showVideo(file, `${this.#panes[name].title}: ${description}`, width, height);
  }

  // ---- frame, time and what is announced

  /** The result's pictures are there in place of the run's last one. */
  #came() {
    if (!this.#coming) return;
    this.#coming = false;
    this.#moved();
  }

  #moved() {
    if (this.#root.dataset.state !== "result" || this.#coming) return;
    const { frame, frames, seconds } = this.#transport;
    const { source_index: source } = this.#value.record.queries[0].frames[frame];
    const notes = source === frame ? [] : [`${source + 1} in the clip`];
    if (!this.#value.record.complete) notes.push(stoppedText(this.#value.record));
    this.#place(frame, frames, clockTime(seconds), ...notes);
    this.#timeline.moveTo(frame);
    this.#insight.moveTo(frame);
    if (!this.#transport.playing) this.#say(() => `Frame ${frame + 1}: ${this.#timeline.valuesInWords}`);
  }

  /** Sets the scrubber, and says where it is, with notes. */
  #place(frame, frames, ...notes) {
    const scrubber = this.#one(".scrubber");
    [scrubber.max, scrubber.value] = [frames - 1, frame];
    scrubber.style.setProperty("--done", `${(100 * frame) / Math.max(1, frames - 1)}%`);
    const text = `Frame ${frame + 1} of ${frames}`;
    scrubber.setAttribute("aria-valuetext", text);
    this.#one(".place").replaceChildren(make("b", {}, text), ...notes.map((note) => make("span", {}, note)));
  }

  #playingChanged() {
    const { playing } = this.#transport;
    this.#root.classList.toggle("playing", playing);
    this.#one(".play").setAttribute("aria-label", playing ? "Pause" : "Play");
    this.#one(".play").title = `${playing ? "Pause" : "Play"} (space)`;
  }

  /** Tells a screen reader, once things have come to rest. */
  #say(text) {
    clearTimeout(this.#saying);
    this.#saying = setTimeout(() => (this.#one(".said").textContent = text()), 600);
  }

  // ---- buttons and keys

  #listen() {
    const transport = this.#transport;
    const { video: overlay } = this.#panes.overlay;
    const on = (selector, type, handler) => this.#one(selector).addEventListener(type, handler);
    on(".play", "click", () => transport.toggle());
    on(".back", "click", () => transport.seek(transport.frame - 1));
    on(".forward", "click", () => transport.seek(transport.frame + 1));
    on(".scrubber", "input", ({ target }) => transport.seek(target.valueAsNumber));
    on(".loop", "click", ({ currentTarget }) => (transport.repeats = press(currentTarget)));
    on(".sound", "click", ({ currentTarget }) => (overlay.muted = !press(currentTarget)));
    overlay.addEventListener("canplay", () => (this.#one(".sound").hidden = !hasSound(overlay)));
    const speeds = Player.#SPEEDS.map((speed) => [make("span", {}, `${speed}×`)]);
    const chooseSpeed = (index) => (transport.speed = Player.#SPEEDS[index]);
    fillSegments(this.#one(".speeds"), speeds, Player.#SPEEDS.indexOf(1), chooseSpeed);
    for (const pane of Object.values(this.#panes)) {
      pane.video.addEventListener("click", () => transport.toggle());
      pane.enlarge.addEventListener("click", () => this.#enlarge(pane.figure));
      pane.onTake(
        ({ src }, parts) => {
          const name = fileName(this.#value.record, parts, "mp4");
          if (pane === this.#panes.overlay) this.#takeOverlay(name);
          else takeHome(src, name);
        },
        (video, parts) => {
          const drawn = pane === this.#panes.overlay ? this.#overlay.canvas : null;
          const name = fileName(this.#value.record, [...parts, "frame", transport.frame + 1], "png");
          takePicture(drawn ?? frameOf(video), name);
        },
      );
    }
  }

  #key(event) {
    if (this.#root.dataset.state === "blank" || event.ctrlKey || event.altKey || event.metaKey) return;
    const action = this.#action(event.key, event.target);
    if (!action) return;
    event.preventDefault();
    action();
  }

  /** What a key does, unless the element that has the focus uses the key itself. */
  #action(key, target) {
    const transport = this.#transport;
    const panes = Object.values(this.#panes).map(({ figure }) => figure);
    if (["1", "2", "3"].includes(key)) return () => this.#enlarge(panes[key - 1]);
    if (key === "Escape") return this.#one(".enlarged") && (() => this.#enlarge(null));
    if (this.#controls.disabled || target.matches("input[type=radio]") || target.closest(".look")) return null;
    if (key === " ") return target.matches("button") ? null : () => transport.toggle();
    if (key === "ArrowLeft") return () => transport.seek(transport.frame - 1);
    if (key === "ArrowRight") return () => transport.seek(transport.frame + 1);
    if (key === "Home") return () => transport.seek(0);
    if (key === "End") return () => transport.seek(transport.frames - 1);
    return null;
  }

  /** Enlarges a pane; the one that is large, or none, goes back to three of one size. */
  #enlarge(figure) {
    const large = figure?.classList.contains("enlarged") ? null : figure;
    for (const pane of Object.values(this.#panes)) {
      pane.figure.classList.toggle("enlarged", pane.figure === large);
      pane.enlarge.setAttribute("aria-pressed", pane.figure === large);
    }
    if (large) this.#one(".panes").dataset.enlarged = large.dataset.pane;
    else delete this.#one(".panes").dataset.enlarged;
  }

  #one(selector) {
    return this.#root.querySelector(selector);
  }

  #all(selector) {
    return this.#root.querySelectorAll(selector);
  }
}

/** Presses or releases a button; returns whether it is pressed now. */
function press(button) {
  const pressed = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", pressed);
  return pressed;
}

/** Whether a video has sound, which browsers tell in three ways. */
function hasSound(video) {
  return Boolean(video.mozHasAudio || video.webkitAudioDecodedByteCount || video.audioTracks?.length);
}

const player = new Player(element);
player.show(props.value);
watch("value", () => player.show(props.value));
