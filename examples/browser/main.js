// The document's example in a page: seals what stands in the form, opens it again, and shows both.
import { Envelope } from "cardseal";

const element = (id) => document.getElementById(id);

function sealAndOpen() {
  const [sealed, opened] = [element("sealed"), element("opened")];
  opened.className = "";
  try {
    const envelope = new Envelope(element("secret").value);
    sealed.textContent = envelope.seal(element("payload").value);
    opened.textContent = JSON.stringify(envelope.open(sealed.textContent), null, 2);
  } catch (error) {
    sealed.textContent = "";
    opened.className = "error";
    opened.textContent = error.message;
  }
}

element("form").addEventListener("submit", (event) => {
  event.preventDefault();
  sealAndOpen();
});
sealAndOpen();
