// Asks a question that may be refused, and answers with the reason, so that a table can hold both outcomes.

import { Refusal, type RefusalReason } from '#domain/shared/refusal.ts';

/** The reason of the refusal, or `allowed`. A fault stays a fault. */
export const reasonOf = (ask: () => unknown): RefusalReason | 'allowed' => {
  try {
    ask();
    return 'allowed';
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.reason;
    throw thrown;
  }
};
