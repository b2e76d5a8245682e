import type { ReactNode } from "react";
import { Dialog as AriaDialog } from "react-aria-components/Dialog";
import { Heading } from "react-aria-components/Heading";
import { Modal, ModalOverlay } from "react-aria-components/Modal";

interface Given {
  title: string;
  open: boolean;
  close: () => void;
  children: ReactNode;
}

/** A dialog over the page; Escape and a press outside close it. */
export function Dialog({ title, open, close, children }: Given): ReactNode {
  return (
    <ModalOverlay
      className="veil"
      isOpen={open}
      isDismissable
      onOpenChange={(is) => {
        if (!is) close();
      }}
    >
      <Modal>
        <AriaDialog className="dialog">
          <section>
            <Heading slot="title">{title}</Heading>
            {children}
          </section>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
