/** A plot of one thing over another, with its unit; what it shows stands in a table behind it. */

import { useEffect, useRef, useSyncExternalStore, type ReactNode } from "react";
import uPlot, { type AlignedData, type Axis, type Options, type Series } from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Line {
  label: string;
  /** A name of a colour of tokens.css, such as `--accent`. */
  colour: string;
  stepped?: boolean;
  dashed?: boolean;
  /** Points without a line between them. */
  points?: boolean;
}

interface Given {
  label: string;
  data: AlignedData;
  lines: readonly Line[];
  /** Pairs of places of lines between which the ground is tinted. */
  band?: readonly [number, number];
  x: { label: string; log?: boolean; time?: boolean; values: (splits: number[]) => string[] };
  y: { label: string; values: (splits: number[]) => string[]; range?: [number, number] };
  children: ReactNode;
}

const HEIGHT = 240;
// uPlot names these by an enumeration that exists in its types only.
const LINEAR = 1;
const LOGARITHMIC = 3;

function subscribeToTheme(listener: () => void): () => void {
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", listener);
  const seen = new MutationObserver(listener);
  seen.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => {
    media.removeEventListener("change", listener);
    seen.disconnect();
  };
}

/** Return what changes with the theme: a canvas is painted with the colours of the moment. */
function useTheme(): string {
  return useSyncExternalStore(
    subscribeToTheme,
    () => `${document.documentElement.dataset.theme ?? ""}${matchMedia("(prefers-color-scheme: dark)").matches}`,
  );
}

/** Return the colour that a name stands for now; `light-dark()` is resolved by giving it to an element. */
function colourOf(name: string, within: HTMLElement): string {
  within.style.color = `var(${name})`;
  const colour = getComputedStyle(within).color;
  within.style.color = "";
  return colour;
}

export function Plot({ label, data, lines, band, x, y, children }: Given): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  useEffect(() => {
    const within = place.current;
    if (within === null) return;
    const paint = (name: string): string => colourOf(name, within);
    const axis = (given: Given["x"] | Given["y"]): Axis => ({
      label: given.label,
      stroke: paint("--text-2"),
      grid: { stroke: paint("--line"), width: 1 },
      ticks: { stroke: paint("--line") },
      values: (_, splits) => given.values(splits),
      font: "12px ui-sans-serif, system-ui, sans-serif",
      labelFont: "12px ui-sans-serif, system-ui, sans-serif",
      labelSize: 18,
    });
    const series = lines.map((line): Series => ({
      label: line.label,
      stroke: paint(line.colour),
      width: line.points ? 0 : 2,
      dash: line.dashed ? [4, 4] : undefined,
      points: { show: line.points ?? false },
      paths: line.stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined,
    }));
    const options: Options = {
      width: within.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- see LINEAR
      scales: { x: { time: false, distr: x.log ? LOGARITHMIC : LINEAR }, y: { range: y.range } },
      axes: [axis(x), { ...axis(y), size: 64 }],
      series: [{}, ...series],
      bands: band ? [{ series: [band[0], band[1]], fill: paint("--accent-ground") }] : undefined,
    };
    const plot = new uPlot(options, data, within);
    const sized = new ResizeObserver(() => {
      plot.setSize({ width: within.clientWidth, height: HEIGHT });
    });
    sized.observe(within);
    return () => {
      sized.disconnect();
      plot.destroy();
    };
  }, [data, lines, band, x, y, theme]);
  return (
    <figure className="plot">
      <div ref={place} role="img" aria-label={label} />
      <figcaption>
        <span className="row">
          {lines.map((line) => (
            <span key={line.label} className="key" data-dashed={line.dashed || undefined}>
              <i className={`swatch ${line.colour.slice(2)}`} aria-hidden="true" /> {line.label}
            </span>
          ))}
        </span>
        <details>
          <summary>Table</summary>
          {children}
        </details>
      </figcaption>
    </figure>
  );
}
