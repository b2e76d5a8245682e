import type { ReactNode } from "react";
import { Button as AriaButton, type ButtonProps } from "react-aria-components/Button";

type Kind = "main" | "plain" | undefined;

/** A button; `kind` is its weight on the page. */
export function Button({ kind, ...given }: Omit<ButtonProps, "className"> & { kind?: Kind }): ReactNode {
  return <AriaButton {...given} className={`button ${kind ?? ""}`} />;
}
