// What a reconciliation would change, in numbers, and whether that is more than anybody should do without being asked. Pure.

import type { Change } from '#domain/provisioning/drift.ts';

/** How many there are before it, and how many of these it would take away. */
export interface Headcount {
  /** People active in a directory, each once, however many records they have. */
  readonly people: number;
  readonly peopleLeaving: number;
  /** Places in groups of directories that are still there. */
  readonly places: number;
  readonly placesLeaving: number;
}

export interface Plan {
  readonly changes: Readonly<Partial<Record<Change, number>>>;
  readonly headcount: Headcount;
  /** It would remove most of a directory: nobody does that without being asked. */
  readonly removesMost: boolean;
}

/** More than half of these, and more than ten: a list that an outage or a wrong setting has emptied looks like this. */
const isMost = (leaving: number, of: number): boolean => leaving > 10 && leaving * 2 > of;

export const planOf = (changes: Plan['changes'], headcount: Headcount): Plan => ({
  changes,
  headcount,
  removesMost: isMost(headcount.peopleLeaving, headcount.people) || isMost(headcount.placesLeaving, headcount.places),
});
