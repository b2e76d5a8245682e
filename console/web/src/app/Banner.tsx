/** One line over the page when something about it is not as it seems: a lost stream, a silent service, an ended session. */

import { useState, type ReactNode } from "react";
import { useStreamState } from "../live/stream";
import { useBrowserNow } from "./clock";
import { duration } from "../format";
import { words } from "../words";
import { useDown } from "./health";
import { Ways } from "./Login";
import { useSession } from "./session";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";

export function Banner(): ReactNode {
  const { ended } = useSession();
  return ended ? <Ended /> : <Stale />;
}

function Ended(): ReactNode {
  const [open, setOpen] = useState(false);
  return (
    <div className="banner" role="alert">
      <span className="mark">!</span> {words.ended}
      <Button
        kind="main"
        onPress={() => {
          setOpen(true);
        }}
      >
        {words.acts.logIn}
      </Button>
      <Dialog
        title={words.acts.logIn}
        open={open}
        close={() => {
          setOpen(false);
        }}
      >
        <Ways />
      </Dialog>
    </div>
  );
}

function Stale(): ReactNode {
  const stream = useStreamState();
  const down = useDown();
  const now = useBrowserNow();
  const age = (since: number): string => duration(Math.max(0, Math.round((now - since) / 1000)));
  if (stream.kind === "stale") {
    return (
      <div className="banner" role="alert">
        <span className="mark">!</span>
        {stream.reason === "full" ? words.full(age(stream.lastHeardAt)) : words.stale(age(stream.lastHeardAt))}
      </div>
    );
  }
  if (down.length === 0) return null;
  const since = Math.min(...down.map((one) => one.since));
  return (
    <div className="banner" role="alert">
      <span className="mark">!</span> {words.down(down.map((one) => one.service).join(", "), age(since))}
    </div>
  );
}
