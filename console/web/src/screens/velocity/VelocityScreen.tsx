import type { ReactNode } from "react";

export default function VelocityScreen(): ReactNode {
  return null;
}
