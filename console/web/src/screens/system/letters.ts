/** Records that were set aside, of all services. Pure. */

import type { components } from "../../api/generated/exceptions";

export type Letter = components["schemas"]["DeadLetter"];

/** Return bytes that came in base 64 as text; what is no text is shown as it is, byte by byte. */
export function asText(base64: string | null): string {
  if (base64 === null) return "";
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  }
}
