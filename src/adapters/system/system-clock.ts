// The machine's own clock.

import type { Clock } from '#application/ports/system.ts';

export const systemClock: Clock = { now: () => new Date() };
