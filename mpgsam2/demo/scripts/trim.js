// Of the two handles under the clip. What the clip is like stands in the remark below, once the server has looked at it.
const trim = element.querySelector(".trim");
const [begin, end] = trim.querySelectorAll("input");
const pictures = trim.querySelectorAll("video");
const unplayable = element.querySelector(".unplayable");
let clip = null; // frames, and when each is shown in seconds
let wanted = [1, null]; // as numbers were given
let playable = true; // whether this browser plays the clip

const shown = () => document.querySelector("#clip video")?.currentSrc || document.querySelector("#clip video")?.src || "";

function look() {
  const told = document.querySelector("#notice [data-frames]")?.dataset;
  const address = shown();
  if (!address || !told) {
    trim.hidden ||= !address;
    unplayable.hidden = true;
    return;
  }
  const [frames, rate] = [Number(told.frames), Number(told.rate)];
  const times = told.times ? told.times.split(" ").map(Number) : Array.from({ length: frames }, (_, i) => i / rate);
  clip = { frames, times: [...times, times.at(-1) + 1 / rate] };
  if (pictures[0].src !== address) {
    playable = true;
    for (const picture of pictures) picture.src = address;
  }
  for (const handle of [begin, end]) handle.max = frames;
  trim.hidden = frames < 2 || !playable;
  unplayable.hidden = playable;
  take(...wanted);
}

function take(first, last) {
  wanted = [first, last];
  if (!clip) return;
  begin.value = Math.min(first || 1, clip.frames);
  end.value = Math.min(last || clip.frames, clip.frames);
  draw();
}

function draw() {
  [begin, end].forEach((handle, index) => {
    const frame = handle.valueAsNumber - 1;
    const middle = (clip.times[frame] + clip.times[frame + 1]) / 2;
    if (Math.abs(pictures[index].currentTime - middle) > 1e-4) pictures[index].currentTime = middle;
    trim.style.setProperty(index ? "--end" : "--begin", frame / Math.max(1, clip.frames - 1));
  });
  const used = Math.max(0, end.value - begin.value + 1); // as numbers, they may have been given the wrong way round
  trim.querySelector("p").textContent = `Frames ${begin.value} to ${end.value}: ${used} of ${clip.frames}`;
}

for (const handle of [begin, end]) {
  handle.addEventListener("input", () => {
    const other = handle === begin ? end : begin; // which is pushed along rather than crossed
    if (handle === begin ? begin.valueAsNumber > end.valueAsNumber : end.valueAsNumber < begin.valueAsNumber) {
      other.value = handle.value;
    }
    draw();
  });
  handle.addEventListener("change", () => {
    wanted = [begin.valueAsNumber, end.valueAsNumber === clip.frames ? null : end.valueAsNumber];
    document.body.dataset.trim = JSON.stringify(wanted);
    trigger("input");
  });
}
for (const picture of pictures) {
  picture.addEventListener("loadedmetadata", () => clip && draw());
  picture.addEventListener("error", () => {
    playable = false;
    look();
  });
}
const saysItself = ({ target }) => target.matches?.("#clip video");
document.addEventListener("error", (event) => saysItself(event) && event.stopImmediatePropagation(), true); // no pop-up
document.addEventListener("trim", ({ detail }) => take(...detail));
function watch(id) {
  const watched = document.getElementById(id);
  if (!watched) requestAnimationFrame(() => watch(id)); // the page is being built
  else new MutationObserver(look).observe(watched, { childList: true, subtree: true, attributes: true });
}
["clip", "notice"].forEach(watch);
look();
