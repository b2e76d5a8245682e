import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, StrictMode, Suspense, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter, Route, Routes } from "react-router";
import { Boundary } from "./app/Boundary";
import { queries } from "./app/queries";
import { WithSession } from "./app/session";
import { Shell } from "./app/Shell";
import { applyTheme } from "./app/theme";
import { StreamScreen } from "./screens/stream/StreamScreen";
import { Empty, Loading, ToStream } from "./ui/States";
import "./style/tokens.css";
import "./style/base.css";
import "./style/shell.css";
import "./style/ui.css";
import "./style/case.css";

const CaseScreen = lazy(() => import("./screens/case/CaseScreen"));
const FunctionScreen = lazy(() => import("./screens/function/FunctionScreen"));
const VelocityScreen = lazy(() => import("./screens/velocity/VelocityScreen"));
const PlanningScreen = lazy(() => import("./screens/planning/PlanningScreen"));
const SystemScreen = lazy(() => import("./screens/system/SystemScreen"));

function Screen({ children }: { children: ReactNode }): ReactNode {
  return (
    <Boundary>
      <Suspense fallback={<Loading />}>{children}</Suspense>
    </Boundary>
  );
}

function Nowhere(): ReactNode {
  return (
    <Empty title="There is no such screen.">
      <ToStream />
    </Empty>
  );
}

applyTheme();
const root = document.getElementById("desk");
if (root === null) throw new Error("the page has no place for the desk");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <WithSession>
        <BrowserRouter>
          <Routes>
            <Route element={<Shell />}>
              <Route index element={<StreamScreen />} />
              <Route
                path="cases/:id"
                element={
                  <Screen>
                    <CaseScreen />
                  </Screen>
                }
              />
              <Route
                path="function"
                element={
                  <Screen>
                    <FunctionScreen />
                  </Screen>
                }
              />
              <Route
                path="function/:name"
                element={
                  <Screen>
                    <FunctionScreen />
                  </Screen>
                }
              />
              <Route
                path="velocity"
                element={
                  <Screen>
                    <VelocityScreen />
                  </Screen>
                }
              />
              <Route
                path="planning"
                element={
                  <Screen>
                    <PlanningScreen />
                  </Screen>
                }
              />
              <Route
                path="system"
                element={
                  <Screen>
                    <SystemScreen />
                  </Screen>
                }
              />
              <Route path="*" element={<Nowhere />} />
            </Route>
          </Routes>
        </BrowserRouter>
      </WithSession>
    </QueryClientProvider>
  </StrictMode>,
);
