/** What quantities mean, each behind a question mark that is to be seen; one meaning stands open at a time. */
class Meanings {
  #text;
  #open = null;

  constructor(text) {
    this.#text = text;
  }

  /** A button that opens and closes the meaning of a name. */
  button(name, what) {
    const button = make("button", { type: "button", class: "help", "aria-label": `What is ${name}?` }, "?");
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => this.#toggle(button, `${name}: ${what}.`));
    return button;
  }

  close() {
    this.#open?.setAttribute("aria-expanded", "false");
    this.#open = null;
    this.#text.textContent = "";
  }

  #toggle(button, text) {
    const closes = this.#open === button;
    this.close();
    if (closes) return;
    this.#open = button;
    button.setAttribute("aria-expanded", "true");
    this.#text.textContent = text;
  }
}
