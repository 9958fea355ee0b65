// A worker's side of the conversation: one message in, one message out, and a fault is told instead of an answer.

export const answering = <Asked>(answer: (asked: Asked) => Promise<object>): void => {
  process.on('message', (asked) => {
    answer(asked as Asked).then(
      (said) => process.send?.(said),
      (fault) => process.send?.({ fault: fault instanceof Error ? (fault.stack ?? fault.message) : String(fault) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ ready: true });
};

/** Runs all, so many at once. */
export const atOnce = async <T>(all: readonly T[], hands: number, act: (one: T) => Promise<unknown>): Promise<void> => {
  const rest = all.values();
  const hand = async (): Promise<void> => {
    for (const one of rest) await act(one);
  };
  await Promise.all(Array.from({ length: hands }, hand));
};

export interface ApplyAsked {
  readonly do: 'prepare' | 'run';
  readonly events: number;
  readonly organizations: number;
}

export interface ApplyAnswer {
  /** How long the run took; 0 for a preparation. */
  readonly seconds: number;
}
