import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Box } from "./box.tsx";
import { Button } from "./button.tsx";
import "./dialog.css";

interface DialogProps {
  title: string;
  close: string;
  onClose: () => void;
  /** What else can be done than to close it. */
  action?: ComponentChildren;
  children: ComponentChildren;
}

/** A question or an explanation above the page: Escape, the button and a click beside it close it. */
export function Dialog({ title, close, onClose, action, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself.
    <dialog
      ref={dialog}
      class="dialog"
      aria-label={title}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <Box title={title}>
        {children}
        <div class="dialog-acts">
          <Button onClick={() => dialog.current?.close()}>{close}</Button>
          {action}
        </div>
      </Box>
    </dialog>
  );
}
