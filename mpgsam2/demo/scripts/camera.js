// Of the remark below the clip. Gradio says nothing where there is no camera, so this does, when one is asked for.
document.addEventListener("click", async ({ target }) => {
  if (!target.closest("#clip button") || !document.querySelector('#clip [aria-label="Capture from camera"].selected')) return;
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  if (devices.some(({ kind }) => kind === "videoinput")) return;
  const said = document.createElement("p");
  said.className = "notice";
  said.setAttribute("role", "status");
  said.textContent = "There is no camera here that the page may use: connect one, or upload a clip.";
  element.replaceChildren(said);
});
