import type { ReactNode } from "react";

export default function PlanningScreen(): ReactNode {
  return null;
}
