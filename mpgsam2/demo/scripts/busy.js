// Of the status. While it shows a bar a run waits or works: clip and examples are locked, so that what is chosen and
// what is shown belong together, and the stylesheet greys the last result.
function mark() {
  const busy = element.querySelector("progress") !== null;
  document.body.classList.toggle("busy", busy);
  for (const id of ["clip", "examples"]) {
    const locked = document.getElementById(id);
    if (locked) locked.inert = busy;
  }
}
new MutationObserver(mark).observe(element, { childList: true, subtree: true });
mark();
