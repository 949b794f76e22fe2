import RFB from "../viewer/core/rfb.js";
import KeyTable from "../viewer/core/input/keysym.js";
import keysyms from "../viewer/core/input/keysymdef.js";
import { run } from "./console.js";
import { typeText } from "./keyboard.js";

const NAMED = { ShiftLeft: KeyTable.XK_Shift_L, Enter: KeyTable.XK_Return, Tab: KeyTable.XK_Tab };

function open(screen, url, events) {
  const rfb = new RFB(screen, url, { shared: true, wsProtocols: ["binary"] });
  rfb.background = "transparent";
  rfb.addEventListener("connect", events.opened);
  let over = false;
  rfb.addEventListener("disconnect", () => {
    over = true;
    events.closed();
  });
  // Proxies authenticate for us: a server that wants more is not to be reached this way.
  rfb.addEventListener("credentialsrequired", () => rfb.disconnect());

  function setKey(code, down, character) {
    rfb.sendKey(NAMED[code] ?? keysyms.lookup(character.codePointAt(0)), code, down);
  }

  return {
    close: () => over || rfb.disconnect(),
    focus: () => rfb.focus(),
    scale: (on) => {
      rfb.scaleViewport = on;
    },
    ctrlAltDel: () => rfb.sendCtrlAltDel(),
    type: (text) => typeText(text, setKey),
  };
}

run(open);
