import { useState, type ReactNode } from "react";
import { Choice } from "../ui/Field";
import { words } from "../words";

const KEY = "theme";
type Theme = keyof typeof words.themes;

function apply(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function kept(): Theme {
  const theme = localStorage.getItem(KEY);
  return theme === "light" || theme === "dark" ? theme : "auto";
}

/** Show the page in the theme that the reader chose; call it before the first paint. */
export function applyTheme(): void {
  apply(kept());
}

export function ThemeChoice(): ReactNode {
  const [theme, setTheme] = useState(kept);
  return (
    <Choice
      label={words.theme}
      value={theme}
      set={(value) => {
        setTheme(value as Theme);
        localStorage.setItem(KEY, value);
        apply(value as Theme);
      }}
      options={Object.entries(words.themes)}
    />
  );
}
