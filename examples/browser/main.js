// The document's example in a page: seals what stands in the form, and opens what stands below it.
import { Envelope } from "cardseal";

const element = (id) => document.getElementById(id);

function seal() {
  show(() => {
    const envelope = new Envelope(element("secret").value);
    element("sealed").value = envelope.seal(element("payload").value);
    return envelope.open(element("sealed").value);
  });
}

function open() {
  show(() => new Envelope(element("secret").value).open(element("sealed").value));
}

function show(act) {
  const opened = element("opened");
  try {
    opened.textContent = JSON.stringify(act(), null, 2);
    opened.className = "";
  } catch (error) {
    opened.textContent = error.message;
    opened.className = "error";
  }
}

element("form").addEventListener("submit", (event) => {
  event.preventDefault();
  seal();
});
element("open").addEventListener("click", open);
seal();
