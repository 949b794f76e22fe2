// The part that all consoles share: state, buttons, reconnection.
//
// A viewer is a function (screen, url, events) that opens a session and returns it. It calls
// events.opened() once the console can be used and events.closed() when it is over. A session has
// close(), focus() and type(text), and may have ctrlAltDel() and scale(on); buttons of what it
// has not are hidden.

const ATTEMPTS = 6;
const FIRST_PAUSE_S = 1;
const LONGEST_PAUSE_S = 15;
// How long a connection must have held before the attempts are counted anew.
const STEADY_MS = 10000;

const screen = document.getElementById("screen");
const state = document.getElementById("state");
const notice = document.getElementById("notice");
const dialog = document.getElementById("paste");

/** Return the address of the socket that belongs to this page: same host, same token. */
export function socketUrl() {
  const query = new URLSearchParams(location.search);
  // Only what follows the host may come from the query: the socket is always the page's own host.
  const path = query.get("path") ?? `?token=${encodeURIComponent(query.get("token") ?? "")}`;
  const url = new URL(`./${path.replace(/^[/\\]+/, "")}`, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  return url.href;
}

function buttons(action) {
  return document.querySelectorAll(`[data-action="${action}"]`);
}

function press(action, on) {
  for (const button of buttons(action)) button.setAttribute("aria-pressed", String(on));
}

class Console {
  constructor(open) {
    this.open = open;
    this.session = null;
    this.attempt = 0;
    this.timer = null;
    this.since = 0;
    this.scaled = true;
    // Events of a session that is not the current one any more are ignored.
    this.generation = 0;
  }

  connect() {
    clearTimeout(this.timer);
    this.drop();
    this.show("connecting", "Connecting");
    const mine = ++this.generation;
    const current = (work) => () => mine === this.generation && work();
    const events = { opened: current(() => this.opened()), closed: current(() => this.closed()) };
    this.session = this.open(screen, socketUrl(), events);
    this.offer();
  }

  reconnect() {
    this.attempt = 0;
    this.connect();
  }

  drop() {
    this.generation++;
    this.session?.close();
    this.session = null;
    screen.replaceChildren();
  }

  opened() {
    this.since = Date.now();
    this.show("connected", "Connected");
    this.applyScale();
    this.session.focus();
  }

  async closed() {
    if (this.since && Date.now() - this.since > STEADY_MS) this.attempt = 0;
    this.since = 0;
    const frozen = this.generation;
    this.show("lost", "Connection lost");
    const refused = await linkIsRefused();
    if (frozen !== this.generation) return;
    this.drop();
    if (refused) {
      this.show("refused", "Link not valid", "This link is not valid any more", REFUSED);
    } else if (this.attempt >= ATTEMPTS) {
      this.show("ended", "Not connected", "Not connected", ENDED);
    } else {
      this.retry();
    }
  }

  retry() {
    const pause = Math.min(FIRST_PAUSE_S * 2 ** this.attempt++, LONGEST_PAUSE_S);
    const text = `Attempt ${this.attempt} of ${ATTEMPTS} follows in ${pause} s.`;
    this.show("lost", "Connection lost", "Connection lost", text);
    this.timer = setTimeout(() => this.connect(), pause * 1000);
  }

  show(name, label, title = "", text = "") {
    state.dataset.state = name;
    state.textContent = label;
    notice.hidden = !title;
    notice.querySelector("h2").textContent = title;
    notice.querySelector("p").textContent = text;
    notice.querySelector("button").hidden = name === "refused";
    for (const action of ["paste", "ctrlAltDel"]) {
      for (const button of buttons(action)) button.disabled = name !== "connected";
    }
    for (const button of buttons("reconnect")) button.disabled = name === "refused";
  }

  /** Show the buttons of what the session can do. */
  offer() {
    for (const action of ["ctrlAltDel", "scale"]) {
      for (const button of buttons(action)) button.hidden = !this.session[action];
    }
    for (const button of buttons("fullScreen")) button.hidden = !document.fullscreenEnabled;
  }

  applyScale() {
    screen.classList.toggle("scaled", this.scaled);
    this.session?.scale?.(this.scaled);
  }

  // --- What the buttons do

  ctrlAltDel() {
    this.session.ctrlAltDel();
    this.session.focus();
  }

  scale() {
    this.scaled = !this.scaled;
    press("scale", this.scaled);
    this.applyScale();
    this.session?.focus();
  }

  async fullScreen() {
    if (document.fullscreenElement) {
      await document.exitFullscreen();
    } else {
      await document.querySelector("main").requestFullscreen();
    }
    this.session?.focus();
  }

  paste() {
    document.getElementById("paste-result").textContent = "";
    dialog.showModal();
  }

  async type() {
    const field = document.getElementById("paste-text");
    const result = document.getElementById("paste-result");
    const send = document.getElementById("paste-send");
    // The dialog may be open for long.
    if (state.dataset.state !== "connected") {
      result.textContent = "There is no connection at the moment; nothing was typed.";
      return;
    }
    send.disabled = true;
    const missed = await this.session.type(field.value.replaceAll("\r\n", "\n"));
    send.disabled = false;
    if (missed) {
      result.textContent = `Left out, as a US keyboard has no key for them: ${missed}`;
    } else {
      field.value = "";
      dialog.close();
    }
  }
}

const REFUSED =
  "It has expired, or the server was stopped, moved or rebuilt since. Ask for a new link.";
const ENDED = "The console can not be reached at the moment.";

/** Tell whether this page itself would be refused now; false if nobody answers. */
async function linkIsRefused() {
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    return answer.status >= 400 && answer.status < 500 && answer.status !== 429;
  } catch {
    return false;
  }
}

function isWayOut(event) {
  return event.ctrlKey && event.altKey && event.code === "Home";
}

/** Run the page with a viewer. */
export function run(open) {
  const console = new Console(open);
  for (const action of ["paste", "ctrlAltDel", "scale", "fullScreen", "reconnect"]) {
    for (const button of buttons(action)) {
      button.addEventListener("click", () => console[action]());
    }
  }
  document.getElementById("paste-send").addEventListener("click", () => console.type());
  dialog.addEventListener("close", () => console.session?.focus());
  document.addEventListener("fullscreenchange", () => {
    press("fullScreen", Boolean(document.fullscreenElement));
  });
  new ResizeObserver(() => console.applyScale()).observe(screen);
  // Before the viewer sees the key, which would take it for the server's.
  const leave = async (event) => {
    if (!isWayOut(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (document.fullscreenElement) await document.exitFullscreen();
    document.querySelector("#actions button:enabled").focus();
  };
  addEventListener("keydown", leave, { capture: true });
  console.connect();
}
