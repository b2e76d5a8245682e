/** A screen whose code did not come, or broke, says so and leaves the rest of the page in place. */

import { Component, type ReactNode } from "react";
import { Failed } from "../ui/States";

export class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: undefined as unknown };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children;
    return (
      <Failed
        error={this.state.error}
        again={() => {
          location.reload();
        }}
      />
    );
  }
}
