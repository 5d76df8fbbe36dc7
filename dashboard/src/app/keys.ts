import { useEffect } from "preact/hooks";

/** What a key does, while nothing is being written and no dialog is open. */
export function useKeys(actions: Record<string, () => void>): void {
  useEffect(() => {
    const act = (event: KeyboardEvent) => {
      const action = actions[event.key];
      if (!action || event.metaKey || event.ctrlKey || event.altKey || isBusy(event.target)) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", act);
    return () => removeEventListener("keydown", act);
  });
}

function isBusy(target: EventTarget | null): boolean {
  const writing = target instanceof Element && target.closest("input, textarea, select, dialog");
  return Boolean(writing) || document.querySelector("dialog[open]") !== null;
}
