/** When the executions of a batch began: one note per frame, since executions begin in the order of their entries. */
export class Deadlines {
  readonly #executionMs: number;
  readonly #executionSize: number;
  #begun = 0;
  /** Pairs: executions begun until then, and when. */
  #notes: number[] = [];

  constructor(executionMs: number, executionSize: number) {
    this.#executionMs = executionMs;
    this.#executionSize = executionSize;
  }

  started(executions: number, nowMs: number): void {
    this.#begun += executions;
    this.#notes.push(this.#begun, nowMs);
  }

  /** How many entries, from the first on, belong to executions that had their time; each is only said once. */
  overdue(nowMs: number): number {
    let entries = 0;
    while (this.#notes.length > 0 && nowMs - (this.#notes[1] ?? 0) > this.#executionMs) {
      entries = (this.#notes[0] ?? 0) * this.#executionSize;
      this.#notes = this.#notes.slice(2);
    }
    return entries;
  }
}
