// A page that seals and opens, and says why a body does not open.
import * as cardseal from "./cardseal.js";

const { Envelope, EnvelopeError } = cardseal;

const element = (id) => document.getElementById(id);

function seal() {
  const refused = element("refused");
  try {
    element("body").value = envelope().seal(element("payload").value);
  } catch (error) {
    refused.replaceChildren(...marked(error.message));
    refused.hidden = false;
    return;
  }
  refused.hidden = true;
  open();
}

function open() {
  const opened = element("opened");
  try {
    opened.textContent = JSON.stringify(envelope().open(element("body").value), null, 2);
    opened.className = "";
  } catch (error) {
    opened.replaceChildren(...marked(error.message));
    opened.className = "refused";
  }
  explain();
  element("result").hidden = false;
}

function envelope() {
  return new Envelope(element("secret").value, { layout: element("layout").value });
}

function explain() {
  const report = inspect();
  element("report").hidden = !report;
  if (report) {
    element("conclusion").textContent = report.conclusion;
    element("conclusion").className = report.verdict;
    element("steps").replaceChildren(...report.steps.map(row));
  }
}

// Nothing for what is no secret at all: then there is but one thing to say, which `open` has said.
function inspect() {
  const secret = element("secret").value || undefined;
  try {
    return cardseal.inspect?.(element("body").value, { secret, layout: element("layout").value });
  } catch (error) {
    if (error instanceof EnvelopeError) {
      return undefined;
    }
    throw error;
  }
}

function row({ name, outcome, code, detail }) {
  const row = make("tr");
  const step = make("th", name);
  step.scope = "row";
  row.className = outcome;
  row.append(make("td", make("span", outcome)), step, make("td", ...marked(detail), code ? ` (${code})` : ""));
  return row;
}

function make(name, ...content) {
  const made = document.createElement(name);
  made.append(...content);
  return made;
}

// What stands in backticks, as code.
function marked(text) {
  return text.split("`").map((part, index) => (index % 2 ? make("code", part) : part));
}

function onSubmit(form, act) {
  element(form).addEventListener("submit", (event) => {
    event.preventDefault();
    act();
  });
}

onSubmit("seal", seal);
onSubmit("open", open);
element("unexplained").hidden = "inspect" in cardseal; // the published package has no such function
element("loading").remove();
document.querySelector("main").hidden = false;
seal();
