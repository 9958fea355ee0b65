// Small words about moments.

export const earlier = (a: Date, b: Date): Date => (a < b ? a : b);

export const secondsAfter = (time: Date, seconds: number): Date => new Date(time.getTime() + seconds * 1000);

/** How far the clocks of two of our machines may differ, or those of a provider and of ours, in seconds. */
export const clockSkewSeconds = 300;

/** Due for whoever looks, also by a clock that is behind the one that says `now`. */
export const dueAtOnce = (now: Date): Date => secondsAfter(now, -clockSkewSeconds);

/** 10000-01-01: the first moment without a four-digit year, which PostgreSQL would not read. */
const endOfTime = 253_402_300_800_000;

/** Whether a moment lies between 1970 and 9999: what can be written down, and meant. */
export const isStorable = (time: Date): boolean => time.getTime() >= 0 && time.getTime() < endOfTime;
