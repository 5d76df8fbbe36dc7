import { useId } from "preact/hooks";
import "./field.css";

interface FieldProps {
  label: string;
  value: string;
  onValue: (value: string) => void;
  type?: "text" | "email" | "password";
  name?: string;
  class?: string;
  placeholder?: string;
  autocomplete?: "off" | "name" | "username" | "current-password" | "new-password";
  autocapitalize?: "characters";
  spellcheck?: boolean;
  required?: boolean;
  minLength?: number;
  maxLength?: number;
}

/** A labelled line of text. */
export function Field({ label, value, onValue, type = "text", ...more }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type={type as "text"} // Preact's types know one kind of input at a time
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
        {...more}
      />
    </div>
  );
}
