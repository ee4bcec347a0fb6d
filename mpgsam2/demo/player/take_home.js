/** Hands a file to the visitor, who finds it among the downloads. */
function takeHome(address, name) {
  make("a", { href: address, download: name }).click();
}

/** The frame that a video shows, as a canvas of its own size. */
function frameOf(video) {
  const canvas = make("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas;
}

/** Hands a canvas to the visitor, as a PNG. */
function takePicture(canvas, name) {
  canvas.toBlob((picture) => {
    const address = URL.createObjectURL(picture);
    takeHome(address, name);
    setTimeout(() => URL.revokeObjectURL(address), 60000); // a download may ask for its file a little later
  });
}

/** What a file of a run is called: "clip-overlay.mp4", "clip-prior-B-frame-7.png". */
function fileName(record, parts, ending) {
  const clip = (record.clip?.name ?? "clip").replace(/[.][^.]*$/, "");
  return `${[clip, ...parts].join("-")}.${ending}`;
}
