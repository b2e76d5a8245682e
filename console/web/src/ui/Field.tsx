import type { ReactNode } from "react";
import { FieldError } from "react-aria-components/FieldError";
import { Input } from "react-aria-components/Input";
import { Label } from "react-aria-components/Label";
import { Text } from "react-aria-components/Text";
import { TextArea } from "react-aria-components/TextArea";
import { TextField } from "react-aria-components/TextField";
import { useId } from "react";

interface Given {
  label: string;
  value: string;
  set: (value: string) => void;
  hint?: string;
  wrong?: string;
  required?: boolean;
  autoFocus?: boolean;
}

interface TextGiven extends Given {
  lines?: boolean;
  type?: "text" | "datetime-local" | "number" | "date" | "search";
}

/** A field of text, of several lines where `lines`, or of a date. `wrong` is what a service said about it. */
export function Field({ label, value, set, hint, wrong, required, autoFocus, lines, type }: TextGiven): ReactNode {
  return (
    <TextField
      className="field"
      value={value}
      onChange={set}
      isRequired={required}
      isInvalid={wrong !== undefined}
      autoFocus={autoFocus}
      type={type}
      validationBehavior="aria"
    >
      <Label>{label}</Label>
      {lines ? <TextArea /> : <Input />}
      {hint && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="wrong">{wrong}</FieldError>
    </TextField>
  );
}

interface ChoiceGiven extends Given {
  /** Its label is for who does not see the page; the choice says itself what it is. */
  isBare?: boolean;
  options: readonly (readonly [value: string, words: string])[];
}

/** One of a few; the browser's own list, which every reader knows. */
export function Choice({ label, value, set, hint, options, autoFocus, isBare = false }: ChoiceGiven): ReactNode {
  const id = useId();
  return (
    <div className={isBare ? "" : "field"}>
      <label htmlFor={id} className={isBare ? "unseen" : ""}>
        {label}
      </label>
      <select
        id={id}
        className="input"
        value={value}
        autoFocus={autoFocus}
        onChange={(event) => {
          set(event.target.value);
        }}
      >
        {options.map(([one, said]) => (
          <option key={one} value={one}>
            {said}
          </option>
        ))}
      </select>
      {hint && <span className="hint">{hint}</span>}
    </div>
  );
}
