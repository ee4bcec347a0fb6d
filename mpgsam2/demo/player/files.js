/** Videos fetched whole, so that scrubbing asks the server for nothing. */
class Files {
  #kept = new Map(); // address → promise of an address inside the browser

  /** The address to play a file from; the file's own if it cannot be fetched, for the video itself to tell why. */
  get(address) {
    if (!this.#kept.has(address)) this.#kept.set(address, fetchWhole(address).catch(() => address));
    return this.#kept.get(address);
  }

  /** Gives the memory of all files back. */
  clear() {
    for (const promise of this.#kept.values()) promise.then((address) => URL.revokeObjectURL(address));
    this.#kept.clear();
  }
}

async function fetchWhole(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(response.statusText);
  return URL.createObjectURL(await response.blob());
}
