// @vitest-environment node
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { follow, type Follower } from "./follower";
import type { Fact, StreamState } from "./protocol";

const FACTS = 200;
const HANGS = -1;
/** Bounds a wait for a condition on a busy machine; the default of a second is missed there. */
const PATIENCE = { timeout: 30_000 };
const TEST_MS = 60_000;

/** A server that streams numbered facts, and cuts the connection after every `cutAfter` bytes. */
function served(
  cutAfter: number,
  more?: (from: number) => number | undefined,
): Promise<{ server: Server; url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const from = new URL(request.url ?? "", "http://x").searchParams.get("from") ?? "";
    asked.push(from);
    const start = from === "now" ? 0 : Number(from);
    const status = more?.(asked.length);
    if (status === HANGS) return;
    if (status !== undefined) {
      response.writeHead(status).end();
      return;
    }
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    let text = `retry: 1000\nid: ${start}\n: \n\n`;
    for (let n = start + 1; n <= FACTS; n += 1) {
      const fact: Fact = { id: `f${n}`, type: "t", subject: "s", time: "", data: { case_id: `c${n}` } };
      text += `id: ${n}\nevent: t\ndata: ${JSON.stringify(fact)}\n\n`;
    }
    const end = start >= FACTS ? text.length : Math.min(text.length, cutAfter);
    response.write(text.slice(0, end));
    if (start < FACTS) response.socket?.end();
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve({ server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked });
    });
  });
}

describe("follow", () => {
  let follower: Follower | undefined;
  let server: Server | undefined;
  afterEach(() => {
    follower?.stop();
    server?.closeAllConnections();
    server?.close();
  });

  async function begun(cutAfter: number, more?: (asked: number) => number | undefined) {
    const made = await served(cutAfter, more);
    server = made.server;
    const facts: string[] = [];
    const states: StreamState["kind"][] = [];
    follower = follow(
      { state: (state) => states.push(state.kind), facts: (some) => facts.push(...some.map((fact) => fact.id)) },
      (path, options) => fetch(made.url + (path as string), options),
    );
    return { facts, states, asked: made.asked };
  }

  it.each([3_000, 3_001, 4_567, 20_000])(
    "hears each fact once and in order when cut after each %d bytes",
    async (cut) => {
      const { facts } = await begun(cut);
      await vi.waitFor(() => {
        expect(facts.length).toBeGreaterThanOrEqual(FACTS);
      }, PATIENCE);
      expect(facts).toEqual(Array.from({ length: FACTS }, (_, n) => `f${n + 1}`));
    },
    TEST_MS,
  );

  it(
    "ends with the session and goes on after a login",
    async () => {
      const { facts, states, asked } = await begun(1e9, (n) => (n === 1 ? 401 : undefined));
      await vi.waitFor(() => {
        expect(states).toContain("ended");
      }, PATIENCE);
      expect(asked).toHaveLength(1);
      follower?.again();
      await vi.waitFor(() => {
        expect(facts).toHaveLength(FACTS);
      }, PATIENCE);
      expect(asked[1]).toBe("now");
    },
    TEST_MS,
  );

  it(
    "gives up on a server that takes the connection and says nothing",
    async () => {
      const { facts } = await begun(1e9, (n) => (n === 1 ? HANGS : undefined));
      await vi.waitFor(() => {
        expect(facts).toHaveLength(FACTS);
      }, PATIENCE);
    },
    TEST_MS,
  );

  it(
    "says that it is stale while the server is full",
    async () => {
      const { states } = await begun(1e9, (n) => (n < 3 ? 503 : undefined));
      await vi.waitFor(() => {
        expect(states).toContain("live");
      }, PATIENCE);
      expect(states.slice(0, 2)).toEqual(["stale", "stale"]);
    },
    TEST_MS,
  );
});
