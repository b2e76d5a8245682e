import { words } from "../words";

export function functionName(name: string): string {
  return words.functions[name] ?? name;
}
