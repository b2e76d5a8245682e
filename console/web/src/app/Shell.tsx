/** What surrounds every screen: where one is, in which world, as whom; and the keys that work everywhere. */

import { useEffect, useMemo, useState, type ReactNode } from "react";
import { NavLink, Outlet, useNavigate } from "react-router";
import { api, ask } from "../api/client";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { words } from "../words";
import { Banner } from "./Banner";
import { listen, useKeys, useKnownKeys, type Key } from "./keys";
import { LocalOnly, RoleChoice } from "./Login";
import { useSession } from "./session";
import { ThemeChoice } from "./theme";

const PLACES = [
  ["s", "/", words.screens.stream],
  ["f", "/function", words.screens.function],
  ["v", "/velocity", words.screens.velocity],
  ["p", "/planning", words.screens.planning],
  ["y", "/system", words.screens.system],
] as const;

export function Shell(): ReactNode {
  const { session } = useSession();
  const go = useNavigate();
  const [help, setHelp] = useState(false);
  const isOther = session.world !== "live";
  useEffect(() => listen(window), []);
  useEffect(() => {
    document.documentElement.dataset.world = session.world;
  }, [session.world]);
  useKeys(
    useMemo<Key[]>(
      () => [
        ...PLACES.map(([letter, path, name]) => ({ press: `g ${letter}`, does: name, run: () => void go(path) })),
        {
          press: "?",
          does: "Show the keys",
          run: () => {
            setHelp(true);
          },
        },
      ],
      [go],
    ),
  );
  return (
    <div className="shell" data-other-world={isOther || undefined}>
      <nav className="nav" aria-label="Screens">
        <div>
          <strong>{words.product}</strong>
          <div className="world">{isOther ? words.other(session.world) : words.world(session.world)}</div>
        </div>
        <ul>
          {PLACES.map(([letter, path, name]) => (
            <li key={path}>
              <NavLink to={path} end={path === "/"}>
                {name} <kbd aria-hidden="true">g {letter}</kbd>
              </NavLink>
            </li>
          ))}
        </ul>
        <div className="foot">
          <Who />
          <Button
            kind="plain"
            onPress={() => {
              setHelp(true);
            }}
          >
            {words.keyboard} ?
          </Button>
        </div>
      </nav>
      <div>
        <Banner />
        <main className="screen">
          <Outlet />
        </main>
      </div>
      <Dialog
        title={words.keyboard}
        open={help}
        close={() => {
          setHelp(false);
        }}
      >
        <Keys />
        <ThemeChoice />
      </Dialog>
    </div>
  );
}

function Who(): ReactNode {
  const { session } = useSession();
  const role = words.roles[session.roles[0] ?? ""] ?? session.roles[0];
  const [choosing, setChoosing] = useState(false);
  return (
    <>
      <LocalOnly>
        <Button
          kind="plain"
          onPress={() => {
            setChoosing(true);
          }}
        >
          {words.acts.changeRole}
        </Button>
        <Dialog
          title={words.acts.changeRole}
          open={choosing}
          close={() => {
            setChoosing(false);
          }}
        >
          <RoleChoice />
        </Dialog>
      </LocalOnly>
      <span title={`sites: ${String(session.sites)}; customers: ${String(session.customers)}`}>
        {session.subject}
        {role?.toLowerCase() !== session.subject && <span className="quiet"> {role}</span>}
      </span>
      <Button
        kind="plain"
        onPress={() => {
          const leave = () => {
            location.assign("/");
          };
          ask("console", api.console.DELETE("/session")).then(leave, leave);
        }}
      >
        {words.acts.logOut}
      </Button>
    </>
  );
}

function Keys(): ReactNode {
  const keys = useKnownKeys();
  return (
    <table className="table">
      <tbody>
        {keys.map((key) => (
          <tr key={key.press}>
            <td>
              <kbd>{key.press}</kbd>
            </td>
            <td>{key.does}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
