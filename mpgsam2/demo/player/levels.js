/**
 * How probable each pixel of a query's mask is, in hundredths, frame by frame: a file of PNGs, fetched whole.
 *
 * Pictures are read ahead of the frame that is shown; as many are kept as fit into some memory.
 */
class Levels {
  #pictures; // promise of a Blob per frame
  #kept = new Map(); // frame → its levels, or a promise of them
  #most;
  #size;

  static #AHEAD = 6; // frames
  static #MEMORY = 6e7; // bytes

  constructor(address, width, height) {
    this.#size = [width, height];
    this.#most = Math.max(2 * Levels.#AHEAD, Math.floor(Levels.#MEMORY / (width * height)));
    this.#pictures = fetchPictures(address);
  }

  /** The levels of a frame (Uint8Array, row by row), or if they are not read yet a promise of them. */
  get(frame) {
    this.#pictures.then(({ length }) => {
      for (let next = frame + 1; next < Math.min(frame + Levels.#AHEAD, length); next++) this.#read(next);
    });
    return this.#read(frame);
  }

  #read(frame) {
    if (!this.#kept.has(frame)) {
      for (const old of this.#kept.keys()) {
        if (this.#kept.size < this.#most) break;
        this.#kept.delete(old);
      }
      const reading = this.#pictures.then((pictures) => readGrey(pictures[frame], ...this.#size));
      this.#kept.set(frame, reading);
      reading.then((levels) => this.#kept.has(frame) && this.#kept.set(frame, levels));
    }
    return this.#kept.get(frame);
  }
}

async function fetchPictures(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(response.statusText);
  const file = await response.arrayBuffer();
  const [view, pictures] = [new DataView(file), []];
  for (let start = 0; start < file.byteLength; start += 4 + view.getUint32(start, true)) {
    pictures.push(new Blob([new Uint8Array(file, start + 4, view.getUint32(start, true))], { type: "image/png" }));
  }
  return pictures;
}

async function readGrey(picture, width, height) {
  const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(await createImageBitmap(picture, options), 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const levels = new Uint8Array(width * height);
  for (let at = 0; at < levels.length; at++) levels[at] = data[4 * at];
  return levels;
}
