import type { ReactNode } from "react";

export default function SystemScreen(): ReactNode {
  return null;
}
