/** What customers were told, or would be: the promises, old and new, and the letter. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { api, ask, newKey, onceHeaders } from "../../api/client";
import { useSession } from "../../app/session";
import { day, number } from "../../format";
import { Button } from "../../ui/Button";
import { Panel } from "../../ui/Panel";
import { Masked, When } from "../../ui/Values";
import { Refusal } from "../../ui/States";
import { words } from "../../words";
import { useNotices, type CaseWhole, type Notice } from "./questions";

export function Promises({ whole }: { whole: CaseWhole }): ReactNode {
  const notices = useNotices(whole.case_id);
  const note = notices.data?.length === 0 && <span className="quiet">No customer is told anything for this case.</span>;
  return (
    <Panel title="Promises" note={note} asked={notices}>
      {notices.data?.map((notice) => (
        <NoticeView key={notice.notice_id} notice={notice} />
      ))}
    </Panel>
  );
}

function NoticeView({ notice }: { notice: Notice }): ReactNode {
  const { session } = useSession();
  const queries = useQueryClient();
  const [key] = useState(newKey);
  const may = notice.state === "drafted" && session.roles.some((role) => ["sales", "planning-lead"].includes(role));
  const approval = useMutation({
    mutationFn: () =>
      ask(
        "sales",
        api.sales.POST("/notices/{notice_id}/approve", {
          params: { path: { notice_id: notice.notice_id } },
          headers: onceHeaders(key),
        }),
      ),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["case", notice.case_id] }),
  });
  const state = approval.isPending ? "approved" : notice.state;
  return (
    <div className="task">
      <div className="row">
        <strong>{notice.customer}</strong>
        <span className={approval.isPending ? "pending" : ""}>{state}</span>
        {notice.sent_at && <When at={notice.sent_at} />}
        {notice.transport === "recorded" && <span className="quiet">recorded, no mail left</span>}
        {may && !approval.isPending && (
          <Button
            kind="main"
            onPress={() => {
              approval.mutate();
            }}
            aria-label={`${words.acts.approve}: ${notice.customer}`}
          >
            {words.acts.approve}
          </Button>
        )}
      </div>
      {approval.isError && <Refusal error={approval.error} />}
      <ul>
        {notice.lines.map((line) => (
          <li key={line.order_line_id}>
            {line.order_reference} line {line.line_reference}: {number(line.quantity, 3)} × {line.item},{" "}
            {day(line.promised_on)} → <strong>{line.proposed_on ? day(line.proposed_on) : "open"}</strong>
          </li>
        ))}
      </ul>
      <details>
        <summary>Letter</summary>
        <p className="quiet">To {notice.recipient ?? <Masked sees="contact" />}</p>
        <p className="letter">{notice.text}</p>
      </details>
    </div>
  );
}
