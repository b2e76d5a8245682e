import type { ReactNode } from "react";

export default function FunctionScreen(): ReactNode {
  return null;
}
