// A US keyboard, as guests take theirs to be: which key makes which character.

const ROWS = [
  ["`1234567890-=", "~!@#$%^&*()_+", "Backquote Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal"],
  ["qwertyuiop[]\\", "QWERTYUIOP{}|", "KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Backslash"],
  ["asdfghjkl;'", 'ASDFGHJKL:"', "KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote"],
  ["zxcvbnm,./", "ZXCVBNM<>?", "KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash"],
  [" \n\t", "", "Space Enter Tab"],
];

const KEYS = new Map();
for (const [plain, shifted, codes] of ROWS) {
  codes.split(" ").forEach((code, index) => {
    KEYS.set(plain[index], { code, shift: false });
    if (shifted[index]) KEYS.set(shifted[index], { code, shift: true });
  });
}

// Keyboards of guests queue few keys; slow guests lose what comes faster.
const PAUSE_MS = 40;

function pause() {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

/**
 * Type a text: set(code, down, character) presses or releases one key.
 *
 * Return how many characters have no key.
 */
export async function typeText(text, set) {
  let missed = 0;
  for (const character of text) {
    const key = KEYS.get(character);
    if (!key) {
      missed++;
      continue;
    }
    if (key.shift) set("ShiftLeft", true);
    set(key.code, true, character);
    set(key.code, false, character);
    if (key.shift) set("ShiftLeft", false);
    await pause();
  }
  return missed;
}
