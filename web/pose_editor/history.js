/** Undo and redo: earlier states of one value, kept apart from what views do. */

/** @template State */
export class History {
  /** @param {number} [most] steps that are kept */
  constructor(most = 200) {
    this.most = most;
    /** @type {State[]} */
    this.past = [];
    /** @type {State[]} */
    this.future = [];
  }

  /**
   * Note a change.
   *
   * @param {State} before the change
   * @param {State} after it; equal states are no change
   * @returns {boolean} whether it is one
   */
  record(before, after) {
    if (before === after) return false;
    this.past.push(before);
    if (this.past.length > this.most) this.past.shift();
    this.future.length = 0;
    return true;
  }

  /** Go back. @param {State} now @returns {State | undefined} undefined where nothing is left */
  undo(now) {
    return step(this.past, this.future, now);
  }

  /** Go forth again. @param {State} now @returns {State | undefined} */
  redo(now) {
    return step(this.future, this.past, now);
  }
}

function step(from, to, now) {
  if (!from.length) return undefined;
  to.push(now);
  return from.pop();
}
