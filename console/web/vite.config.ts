import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `npm run dev` serves pages beside a running console: CONSOLE_URL names it.
const console_ = process.env.CONSOLE_URL;

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2023",
    // The policy allows nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: true,
  },
  server: console_
    ? { proxy: Object.fromEntries(["/api", "/stream", "/session", "/issuer", "/login", "/processes", "/about"].map((path) => [path, console_])) }
    : {},
  worker: { format: "es" },
  test: { environment: "jsdom", include: ["src/**/*.test.ts", "src/**/*.test.tsx"], restoreMocks: true },
});
