// Of the help with words. A click on a word puts it where the caret is; a sentence replaces what is written. While one
// types, words that the model does not know are marked, and the nearest that it knows are offered.
const unknown = element.querySelector(".unknown");
const nameless = new Set(unknown.dataset.nameless.split(" "));
const box = () => document.querySelector("#sentences textarea");
let part = element.querySelector("details");
let known = new Set();

function choose(model) {
  const parts = [...element.querySelectorAll("details")];
  part = parts.find(({ dataset }) => dataset.model === model) ?? parts[0];
  for (const each of parts) each.hidden = each !== part;
  known = new Set(part.dataset.words.split(" ").filter(Boolean));
  mark();
}

/** Where the words of a text lie that name or describe something and that the model does not know. */
function unknownWords(text) {
  if (!known.size) return [];
  const words = [...text.matchAll(/[\p{L}\p{M}\p{N}]+(?:['’](?:s|t|m|re|ve|ll|d)\b)?/giu)];
  return words
    .map(({ 0: word, index }) => ({ word, plain: word.normalize("NFKC").toLowerCase().replace(/['’].*/, ""), index }))
    .filter(({ plain }) => !known.has(plain) && !nameless.has(plain));
}

/** The known words that name or describe something and differ from one in the fewest letters, if these are few. */
function nearest(word) {
  const most = word.length < 4 ? 1 : Math.ceil(word.length / 3);
  const offered = [...known].filter((other) => !nameless.has(other));
  const near = offered.map((other) => [letters(word, other), other]).filter(([off]) => off <= most);
  const least = Math.min(...near.map(([off]) => off));
  return near.filter(([off]) => off === least).slice(0, 3).map(([, other]) => other);
}

/** How many letters must be put in, left out, changed or swapped with the next to make one word of another. */
function letters(a, b) {
  const off = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 1; j <= b.length; j++) off[0][j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      off[i][j] = Math.min(off[i - 1][j] + 1, off[i][j - 1] + 1, off[i - 1][j - 1] + (a[i - 1] !== b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        off[i][j] = Math.min(off[i][j], off[i - 2][j - 2] + 1);
      }
    }
  }
  return off[a.length][b.length];
}

function mark() {
  const text = box()?.value ?? "";
  const found = unknownWords(text);
  unknown.replaceChildren();
  if (!found.length) return;
  const copy = document.createElement("p");
  let end = 0;
  for (const { word, index } of found) {
    const marked = document.createElement("mark");
    marked.textContent = word;
    copy.append(text.slice(end, index), marked);
    end = index + word.length;
  }
  copy.append(text.slice(end));
  unknown.append(copy, ...found.slice(0, 4).map(offer));
}

function offer({ word, plain, index }) {
  const line = document.createElement("p");
  const near = nearest(plain);
  line.append(near.length ? `“${word}” is not known here. Is it one of these? ` : `“${word}” is not known here. `);
  for (const other of near) {
    const button = document.createElement("button");
    [button.type, button.textContent] = ["button", other];
    button.addEventListener("click", () => write(index, index + word.length, other));
    line.append(button, " ");
  }
  return line;
}

/** Puts text between two places of the sentence, and the caret behind it. */
function write(start, end, text) {
  const { value } = box();
  box().value = value.slice(0, start) + text + value.slice(end);
  box().dispatchEvent(new Event("input", { bubbles: true }));
  box().focus();
  box().setSelectionRange(start + text.length, start + text.length);
}

element.addEventListener("click", ({ target }) => {
  const { word, sentence } = target.closest("dd button")?.dataset ?? {};
  if (box()?.disabled) return;
  if (sentence) write(0, box().value.length, sentence);
  if (!word) return;
  const { value, selectionStart: start, selectionEnd: end } = box();
  const [before, after] = [start && !/\s$/.test(value.slice(0, start)), value[end] && !/^\s/.test(value.slice(end))];
  write(start, end, `${before ? " " : ""}${word}${after ? " " : ""}`);
});
document.addEventListener("input", ({ target }) => target === box() && mark());
document.addEventListener("model", () => choose(document.body.dataset.model));
choose(document.body.dataset.model);
