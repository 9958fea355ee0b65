// How long an organization lets a session live.

/** All in seconds. */
export interface SessionPolicy {
  /** A session unused for this long ends; every use starts the window again. */
  readonly idleSeconds: number;
  /** The same window for a session whose person asked to be remembered. */
  readonly rememberedSeconds: number;
  /** However busy, no session outlives this. */
  readonly absoluteSeconds: number;
}

const hour = 3600;
const day = 24 * hour;

export const defaultSessionPolicy: SessionPolicy = {
  idleSeconds: 24 * hour,
  rememberedSeconds: 7 * day,
  absoluteSeconds: 30 * day,
};
