// Text as it is compared when searching and sorting. Made here and not by the database, so that every store answers alike, whatever its locale.

/** Sorts names without regard to case. */
export const sortableName = ({ name }: { readonly name: string }): string => name.toLowerCase();

/** What a search through people looks in: name and address, any case. No search finds a text that spans both. */
export const searchableText = ({ name, email }: { readonly name: string | null; readonly email: string }): string =>
  `${name ?? ''}\n${email}`.toLowerCase();
