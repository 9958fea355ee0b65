// Says once that something does not work, and once that it works again, however often it is tried in between.

import type { Log } from '#application/ports/system.ts';

export interface Trouble {
  /** It did not work. A warning the first time, and when it is another fault than the last one; else only at `debug`. */
  is(fault: unknown, kind?: string): void;
  /** It worked. */
  over(): void;
}

/** An operator reads two lines about an outage and not a thousand: when it began, and that it is over. */
export const trouble = (log: Log, words: { readonly begins: string; readonly ends: string }): Trouble => {
  let said: string | undefined;
  return {
    is(fault, kind = fault instanceof Error ? `${fault.name} ${fault.message}` : String(fault)) {
      if (said === kind) log.debug(words.begins, { fault });
      else log.warn(words.begins, { fault });
      said = kind;
    },
    over() {
      if (said !== undefined) log.info(words.ends);
      said = undefined;
    },
  };
};
