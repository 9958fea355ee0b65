// An e-mail address as we compare it: trimmed, lower case, one @, a domain with a dot, nothing invisible in it.

declare const brand: unique symbol;
export type Email = string & { readonly [brand]: 'email' };

const shape =
  /^[^\s@"<>()[\]\\,;:\p{C}]{1,64}@([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/u;

/** The Kelvin sign: the one letter outside ASCII whose lower case is an ASCII letter, which would make two mailboxes one. */
const impostor = '\u212a';

/** Undefined when the text is no address. Addresses differ from ours in case only are the same person (as every large provider treats them). */
export const parseEmail = (text: string): Email | undefined => {
  const trimmed = text.trim();
  if (trimmed.includes(impostor)) return undefined;
  const candidate = trimmed.toLowerCase();
  return candidate.length <= 254 && shape.test(candidate) ? (candidate as Email) : undefined;
};

export const domainOf = (email: Email): string => email.slice(email.lastIndexOf('@') + 1);
