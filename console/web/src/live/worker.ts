/** One follower of the exception stream, shared by all tabs of this browser. */

import { follow } from "./follower";
import type { FromFollower, ToFollower } from "./protocol";

const ports = new Set<MessagePort>();
const tell = (message: FromFollower): void => {
  for (const port of ports) port.postMessage(message);
};
const follower = follow({
  state: (state) => {
    tell({ state });
  },
  facts: (facts, at) => {
    tell({ facts, at });
  },
});

(self as unknown as { onconnect: (event: MessageEvent) => void }).onconnect = (event) => {
  const port = event.ports[0];
  if (port === undefined) return;
  ports.add(port);
  port.onmessage = ({ data }: MessageEvent<ToFollower>) => {
    if ("hello" in data) ports.add(port);
    if ("again" in data) follower.again();
    if ("bye" in data) ports.delete(port);
  };
  port.postMessage({ state: follower.state() } satisfies FromFollower);
};
