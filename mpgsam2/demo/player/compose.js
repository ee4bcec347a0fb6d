// The overlay, pixel by pixel as `mpgsam2.export.drawing.overlay` draws it, which the tests hold against each other.

const OUTSIDE = 0;
const RIM = 1; // black or white
const LINE = 2; // in the query's colour
const INSIDE = 3;

/** How thick the outline's rim is; its line is twice as thick. */
function thicknessOf(width, height) {
  return Math.max(1, roundHalfEven(Math.min(width, height) / 200));
}

/** Where each pixel lies in the mask of the levels from `cut` on: OUTSIDE, RIM, LINE or INSIDE. */
function bandsOf(levels, cut, width, height) {
  const thickness = thicknessOf(width, height);
  const [reach, box] = reachOf(levels, cut, width, height);
  const bands = new Uint8Array(levels.length);
  if (!box) return bands;
  for (let at = box.top * width; at < (box.bottom + 1) * width; at++) if (reach[at]) bands[at] = INSIDE;
  mark(bands, reach, box, 3 * thickness, LINE, width, height);
  mark(bands, reach, box, thickness, RIM, width, height);
  return bands;
}

/** For every pixel how far the nearest one outside of the mask is in its row, at most 255; and the box of the mask. */
function reachOf(levels, cut, width, height) {
  const reach = new Uint8Array(levels.length);
  let box = null;
  for (let y = 0; y < height; y++) {
    const start = y * width;
    let [last, first, end] = [255, -1, -1];
    for (let at = start; at < start + width; at++) {
      last = levels[at] >= cut ? Math.min(255, last + 1) : 0;
      reach[at] = last;
      if (!last) continue;
      if (first < 0) first = at - start;
      end = at - start;
    }
    if (first < 0) continue;
    last = 255;
    for (let at = start + width - 1; at >= start; at--) {
      last = reach[at] ? Math.min(255, last + 1) : 0;
      if (last < reach[at]) reach[at] = last;
    }
    box ??= { top: y, left: first, right: end };
    [box.bottom, box.left, box.right] = [y, Math.min(box.left, first), Math.max(box.right, end)];
  }
  return [reach, box];
}

/** Gives a band to the mask's pixels with one outside of the mask in a disk around them; beyond the frame is none. */
function mark(bands, reach, { top, bottom, left, right }, radius, band, width, height) {
  for (let y = top; y <= bottom; y++) {
    const start = y * width;
    for (let dy = -Math.min(radius, y); dy <= Math.min(radius, height - 1 - y); dy++) {
      const half = Math.round(Math.sqrt(radius * radius - dy * dy));
      const shift = dy * width;
      for (let at = start + left; at <= start + right; at++) {
        if (reach[at + shift] <= half && bands[at] > band) bands[at] = band;
      }
    }
  }
}

/**
 * Lays masks over a picture, in place.
 * @param pixels RGBA of the frame.
 * @param masks per query its `bands`, its `colour` ([red, green, blue]) and whether that is `light`.
 * @param look see `Look`.
 */
function compose(pixels, masks, look, width, height) {
  if (look.dimmed) dim(pixels, anyOf(masks), look.dimmed);
  const thickness = thicknessOf(width, height);
  masks.forEach(({ bands, colour, light }, index) => {
    const [red, green, blue] = colour;
    const tints = colour.map((level) => tintOf(level, roundHalfEven(256 * look.opacity)));
    const contrast = light && !look.dimmed ? 0 : 255;
    const hatched = look.pattern ? hatching(index, thickness) : null;
    for (let at = 0, place = 0; at < bands.length; at++, place += 4) {
      let band = bands[at];
      if (band === OUTSIDE) continue;
      if (hatched !== null && band === INSIDE) {
        const steps = hatched(Math.floor(at / width), at % width);
        if (steps < 2 * thickness) band = steps < thickness ? RIM : LINE;
      }
      if (band === INSIDE) {
        pixels[place] = tints[0][pixels[place]];
        pixels[place + 1] = tints[1][pixels[place + 1]];
        pixels[place + 2] = tints[2][pixels[place + 2]];
      } else if (band === LINE) {
        pixels[place] = red;
        pixels[place + 1] = green;
        pixels[place + 2] = blue;
      } else pixels[place] = pixels[place + 1] = pixels[place + 2] = contrast;
    }
  });
}

/** What each level of a channel becomes under a colour, of which 256 parts would be opaque. */
function tintOf(level, opaque) {
  return Uint8Array.from({ length: 256 }, (_, under) => (under * (256 - opaque) + level * opaque + 128) >> 8);
}

/** Where any mask is: not 0. */
function anyOf(masks) {
  if (masks.length === 1) return masks[0].bands;
  const any = masks[0].bands.slice();
  for (const { bands } of masks.slice(1)) for (let at = 0; at < any.length; at++) any[at] |= bands[at];
  return any;
}

/** Mixes what no mask holds with a dark grey copy of itself. */
function dim(pixels, any, dimmed) {
  const [kept, greyed] = [roundHalfEven(256 * (1 - dimmed)), roundHalfEven(128 * dimmed)];
  for (let at = 0, place = 0; at < any.length; at++, place += 4) {
    if (any[at]) continue;
    const red = pixels[place];
    const green = pixels[place + 1];
    const blue = pixels[place + 2];
    const grey = ((9798 * red + 19235 * green + 3735 * blue + 16384) >> 15) * greyed + 128; // ITU-R BT.601
    pixels[place] = (red * kept + grey) >> 8;
    pixels[place + 1] = (green * kept + grey) >> 8;
    pixels[place + 2] = (blue * kept + grey) >> 8;
  }
}

/** How far a pixel is past the last line of a query's hatching; dots count from the middle. */
function hatching(index, thickness) {
  const period = 12 * thickness;
  const past = (place) => ((place % period) + period) % period;
  return [
    (row, column) => past(row + column),
    (row, column) => past(row - column),
    (row) => past(row),
    (row, column) => Math.hypot(past(row) - period / 2, past(column) - period / 2) / 1.5,
  ][index % 4];
}

function roundHalfEven(value) {
  const whole = Math.floor(value);
  if (value - whole !== 0.5) return Math.round(value);
  return whole + (whole % 2);
}
