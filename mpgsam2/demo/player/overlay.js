/** The overlay as a picture over the clip's video, drawn here for every frame, so that its look can change at once. */
class Overlay {
  #video;
  #canvas;
  #context;
  #look;
  #clip = null; // size and times of the result that is shown, null for none
  #levels = []; // by query
  #frame = null; // the frame that the video shows, and its pixels
  #bands = new Map(); // of that frame, by query and level
  #source = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

  /** Whether this browser tells which frame a video shows. */
  static CAN = "requestVideoFrameCallback" in HTMLVideoElement.prototype;

  constructor(video, canvas, look) {
    [this.#video, this.#canvas, this.#look] = [video, canvas, look];
    this.#context = canvas.getContext("2d");
    video.addEventListener("seeked", () => this.#grab(video.currentTime));
    video.addEventListener("loadeddata", () => this.#grab(video.currentTime));
    if (Overlay.CAN) this.#watch();
  }

  get canvas() {
    return this.#clip && !this.#canvas.hidden ? this.#canvas : null;
  }

  /** Draws over the video from now on. */
  show({ levels }, { width, height }, times) {
    this.#clip = { width, height, times };
    this.#levels = levels.map(({ url }) => new Levels(url, width, height));
    for (const canvas of [this.#canvas, this.#source.canvas]) [canvas.width, canvas.height] = [width, height];
  }

  hide() {
    this.#clip = this.#frame = null;
    this.#levels = [];
    this.#canvas.hidden = true;
  }

  /** Draws the frame that is shown once more, as after a change of the look. */
  redraw() {
    if (!this.#frame) return;
    const { index, pixels } = this.#frame;
    const levels = this.#levels.map((one) => one.get(index));
    const late = levels.find((one) => one instanceof Promise);
    if (late) {
      late.then(() => this.#frame?.index === index && this.redraw());
      return;
    }
    const { width, height } = this.#clip;
    const cut = Math.ceil(100 * this.#look.threshold - 1e-9);
    const masks = levels.map((level, query) => {
      const key = `${query} ${cut}`;
      if (!this.#bands.has(key)) this.#bands.set(key, bandsOf(level, cut, width, height));
      const { rgb, light } = PALETTE[this.#look.colour(query)];
      return { bands: this.#bands.get(key), colour: rgb, light };
    });
    const picture = new ImageData(new Uint8ClampedArray(pixels), width, height);
    compose(picture.data, masks, this.#look, width, height);
    this.#context.putImageData(picture, 0, 0);
    this.#canvas.hidden = false;
  }

  #watch() {
    this.#video.requestVideoFrameCallback((_, { mediaTime }) => {
      this.#grab(mediaTime);
      this.#watch();
    });
  }

  /** Takes the pixels of the frame that the video shows at a time. */
  #grab(seconds) {
    if (!this.#clip || this.#video.readyState < 2) return;
    const { width, height, times } = this.#clip;
    let index = 0;
    while (index < times.length - 2 && times[index + 1] <= seconds + 0.2 * (times[index + 1] - times[index])) index++;
    this.#source.drawImage(this.#video, 0, 0);
    this.#frame = { index, pixels: this.#source.getImageData(0, 0, width, height).data };
    this.#bands.clear();
    this.redraw();
  }
}
