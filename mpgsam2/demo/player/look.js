/**
 * How the overlay is drawn: chosen in the player, and told to the page, so that runs, links and files carry it.
 *
 * The page hears of it in `document.body.dataset.look`, and tells one of a link there, with an event of that name.
 */
class Look {
  #root;
  #inputs;
  #colours = []; // numbers in PALETTE, counted from 1, by query; the record's own where it is 0 or missing
  #own = []; // the same of the record that is shown
  #onChange;

  static #NAMES = ["threshold", "opacity", "dimmed", "pattern"];

  /** @param onChange called with no argument at every change. */
  constructor(root, onChange) {
    [this.#root, this.#onChange] = [root, onChange];
    this.#inputs = Look.#NAMES.map((name) => root.querySelector(`[name="${name}"]`));
    for (const input of this.#inputs) {
      input.addEventListener("input", () => this.#changed());
      input.addEventListener("change", () => this.#tell());
    }
    document.addEventListener("look", () => this.#take(JSON.parse(document.body.dataset.look)));
    this.#say();
  }

  get threshold() {
    return this.#inputs[0].valueAsNumber;
  }

  get opacity() {
    return this.#inputs[1].valueAsNumber;
  }

  get dimmed() {
    return this.#inputs[2].valueAsNumber;
  }

  get pattern() {
    return this.#inputs[3].checked;
  }

  /** The queries of a record, whose colours stay as long as no others are chosen. */
  set queries(queries) {
    this.#own = queries.map(({ colour }) => PALETTE.findIndex((one) => one.colour === colour) + 1);
  }

  /** The number in PALETTE, from 0, of a query's colour. */
  colour(index) {
    return (this.#colours[index] || this.#own[index]) - 1;
  }

  /** Gives a query the next colour of the palette that no other has. */
  recolour(index) {
    const all = this.#own.map((_, query) => this.colour(query));
    let next = all[index];
    do next = (next + 1) % PALETTE.length;
    while (all.includes(next) && next !== all[index]);
    this.#colours = Array.from({ length: Math.max(this.#colours.length, index + 1) }, (_, i) => this.#colours[i] ?? 0);
    this.#colours[index] = next + 1;
    this.#changed();
    this.#tell();
  }

  /** Whether the files of a record were drawn like this. */
  isThatOf({ settings, queries }) {
    const { threshold, opacity, dimmed = 0, pattern } = settings;
    const same = (a, b) => Math.abs(a - b) < 1e-6;
    return (
      same(threshold, this.threshold) &&
      same(opacity, this.opacity) &&
      same(dimmed, this.dimmed) &&
      Boolean(pattern) === this.pattern &&
      queries.every(({ colour }, index) => colour === PALETTE[this.colour(index)].colour)
    );
  }

  #take([threshold, opacity, dimmed, pattern, colours]) {
    [threshold, opacity, dimmed].forEach((value, index) => (this.#inputs[index].value = value));
    this.#inputs[3].checked = pattern;
    this.#colours = colours ?? [];
    this.#changed();
  }

  #tell() {
    document.body.dataset.look = JSON.stringify([
      this.threshold,
      this.opacity,
      this.dimmed,
      this.pattern,
      this.#colours,
    ]);
    trigger("input");
  }

  #changed() {
    this.#say();
    this.#onChange();
  }

  #say() {
    for (const input of this.#inputs.slice(0, 3)) {
      input.nextElementSibling.textContent = input.valueAsNumber.toFixed(2);
      input.style.setProperty("--done", `${(100 * (input.value - input.min)) / (input.max - input.min)}%`);
    }
  }
}
