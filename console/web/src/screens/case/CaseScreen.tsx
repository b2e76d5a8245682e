import type { ReactNode } from "react";

export default function CaseScreen(): ReactNode {
  return null;
}
