// Of the examples: a click on a card tells its number.
element.addEventListener("click", (event) => {
  const card = event.target.closest("button");
  if (card) trigger("click", { index: Number(card.dataset.index) });
});
