import { Terminal } from "../viewer/xterm.js";
import { run } from "./console.js";

const FONT_SIZE = 15;
const SMALLEST = 8;
const LARGEST = 28;
// A serial line shows only what is sent from now on, which may be nothing until a key is pressed.
const HINT = "\x1b[2mConnected. Press Enter for a prompt.\x1b[0m\r\n";

function open(screen, url, events) {
  // Serial lines carry no size: guests take a terminal of this one for granted.
  const terminal = new Terminal({
    cols: 80,
    rows: 24,
    cursorBlink: true,
    scrollback: 5000,
    screenReaderMode: true,
    fontSize: FONT_SIZE,
    fontFamily: '"DejaVu Sans Mono", "Liberation Mono", monospace',
    theme: { background: "#14181e", foreground: "#e6eaf0" },
  });
  terminal.open(screen);
  const socket = new WebSocket(url, ["binary"]);
  socket.binaryType = "arraybuffer";
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  socket.addEventListener("open", () => {
    terminal.write(HINT);
    events.opened();
  });
  socket.addEventListener("close", events.closed);
  socket.addEventListener("message", (event) => {
    terminal.write(decoder.decode(event.data, { stream: true }));
  });

  function send(text) {
    if (socket.readyState === WebSocket.OPEN) socket.send(encoder.encode(text));
  }

  terminal.on("data", send);
  return {
    close: () => {
      socket.close();
      terminal.dispose();
    },
    focus: () => terminal.focus(),
    scale: (on) => terminal.setOption("fontSize", on ? fittingSize(screen, terminal) : FONT_SIZE),
    type: async (text) => {
      send(text.replaceAll("\n", "\r"));
      return 0;
    },
  };
}

/** Return the font size at which all rows and columns fit into the window. */
function fittingSize(screen, terminal) {
  const grid = terminal.element.querySelector(".xterm-screen").getBoundingClientRect();
  if (!grid.width || !grid.height) return FONT_SIZE;
  const padding = 2 * parseFloat(getComputedStyle(screen).paddingTop);
  const wide = (screen.clientWidth - padding) / grid.width;
  const high = (screen.clientHeight - padding) / grid.height;
  const size = Math.floor(terminal.getOption("fontSize") * Math.min(wide, high));
  return Math.max(SMALLEST, Math.min(LARGEST, size));
}

run(open);
