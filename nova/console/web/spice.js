import { KeyNames } from "../viewer/atKeynames.js";
import { Constants } from "../viewer/enums.js";
import { SpiceMainConn } from "../viewer/main.js";
import { SpiceMiniData, SpiceMsgcKeyDown, SpiceMsgcKeyUp } from "../viewer/spicemsg.js";
import { run } from "./console.js";
import { typeText } from "./keyboard.js";

const OTHER_NAMES = {
  Backquote: "Tilde",
  Backslash: "BSlash",
  BracketLeft: "LBrace",
  BracketRight: "RBrace",
  Semicolon: "SemiColon",
  ShiftLeft: "ShiftL",
};
const CTRL_ALT_DEL = [KeyNames.KEY_LCtrl, KeyNames.KEY_Alt, 0xe0 | (KeyNames.KEY_KP_Decimal << 8)];
const POLL_MS = 100;
const PATIENCE_MS = 15000;

function scanCode(code) {
  const name = OTHER_NAMES[code] ?? code.replace(/^(Key|Digit)/, "");
  return KeyNames[`KEY_${name}`];
}

function isOver(channel) {
  return channel.state === "error" || channel.ws?.readyState === WebSocket.CLOSED;
}

function open(screen, url, events) {
  let over = false;
  // The library sets the height of the element that it draws in.
  const picture = document.createElement("div");
  picture.id = "picture";
  screen.append(picture);
  const connection = new SpiceMainConn({
    uri: url,
    screen_id: picture.id,
    password: "",
    onerror: end,
  });
  const began = Date.now();
  let opened = false;
  // The library tells of the main channel only. The console can be used once it has a picture and
  // takes keys; and no more once one of these channels has ended, or if they do not come: some
  // versions encrypt one password in some hundreds wrongly, which the server then refuses.
  const poll = setInterval(() => {
    const channels = [connection.display, connection.inputs];
    if (channels.some((one) => one && isOver(one))) end();
    else if (!opened && canvas() && connection.inputs?.state === "ready") {
      opened = true;
      events.opened();
    } else if (!opened && Date.now() - began > PATIENCE_MS) end();
  }, POLL_MS);

  function end() {
    if (over) return;
    over = true;
    clearInterval(poll);
    events.closed();
  }

  function canvas() {
    return picture.querySelector("canvas");
  }

  function setScanCode(code, down) {
    if (connection.inputs?.state !== "ready") return;
    const key = down ? new SpiceMsgcKeyDown() : new SpiceMsgcKeyUp();
    key.code = down ? code : code | (code < 0x100 ? 0x80 : 0x8000);
    const message = new SpiceMiniData();
    const type = down ? "SPICE_MSGC_INPUTS_KEY_DOWN" : "SPICE_MSGC_INPUTS_KEY_UP";
    message.build_msg(Constants[type], key);
    connection.inputs.send_msg(message);
  }

  return {
    close: () => {
      over = true;
      clearInterval(poll);
      connection.stop();
    },
    focus: () => canvas()?.focus(),
    scale: (on) => {
      const { width, height } = canvas() ?? {};
      const factor = Math.min(screen.clientWidth / width, screen.clientHeight / height);
      // A transformation leaves the coordinates of the mouse within the picture as they are.
      picture.style.transform = on && factor > 0 ? `scale(${factor})` : "";
    },
    // The library's own function releases no key.
    ctrlAltDel: () => {
      for (const code of CTRL_ALT_DEL) setScanCode(code, true);
      for (const code of CTRL_ALT_DEL.toReversed()) setScanCode(code, false);
    },
    type: (text) => typeText(text, (code, down) => setScanCode(scanCode(code), down)),
  };
}

run(open);
