/**
 * `node --import …/clock.mjs program.mjs`: the program's clock is off by so many ms as PEER_CLOCK_MS says. Timers are
 * not: they count what has passed.
 */
const offset = Number(process.env.PEER_CLOCK_MS);
const now = Date.now.bind(Date);

globalThis.Date = class extends Date {
  constructor(...given) {
    if (given.length === 0) super(now() + offset);
    else super(...given);
  }

  static now() {
    return now() + offset;
  }
};
