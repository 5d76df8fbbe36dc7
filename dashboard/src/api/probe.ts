/** Asks from time to time whether the server is there, while somebody looks (DSH-12). */

import {
  afterProbe,
  afterRequest,
  isDown,
  isInDoubt,
  type ProbeState,
  STARTING,
} from "#data/probe.ts";

export interface ProbeOptions {
  /** Never throws. */
  isUp(): Promise<boolean>;
  /** Called when the server goes down, and when it is up again. */
  onChange(down: boolean): void;
  /** Called when the server answers again after a probe or a request failed. */
  onRecovery(): void;
  document: Pick<Document, "hidden" | "addEventListener" | "removeEventListener">;
}

export class Probe {
  readonly #options: ProbeOptions;
  #state: ProbeState = STARTING;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAsking = false;
  #isStopped = false;

  constructor(options: ProbeOptions) {
    this.#options = options;
    options.document.addEventListener("visibilitychange", this.#look);
    this.#wait();
  }

  /** A request failed, and the next probe comes soon. */
  doubt(): void {
    const state = afterRequest(this.#state);
    if (state === this.#state) return;
    this.#state = state;
    if (!this.#isAsking) this.#wait();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#options.document.removeEventListener("visibilitychange", this.#look);
  }

  readonly #look = (): void => {
    clearTimeout(this.#timer);
    if (!this.#options.document.hidden) void this.#ask();
  };

  #wait(): void {
    clearTimeout(this.#timer);
    if (this.#isStopped || this.#options.document.hidden) return;
    this.#timer = setTimeout(() => void this.#ask(), this.#state.delay * 1_000);
  }

  async #ask(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const isUp = await this.#options.isUp();
    this.#isAsking = false;
    this.#note(isUp);
    this.#wait();
  }

  #note(isUp: boolean): void {
    const before = this.#state;
    this.#state = afterProbe(before, isUp);
    if (this.#isStopped) return;
    if (isDown(this.#state) !== isDown(before)) this.#options.onChange(isDown(this.#state));
    if (isUp && isInDoubt(before)) this.#options.onRecovery();
  }
}
