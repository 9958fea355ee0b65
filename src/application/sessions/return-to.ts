// Where a browser may be sent after signing in: a path of our own, and nothing that a browser could read as another site.

/**
 * The path if it is one of ours, `/` otherwise. Refuses everything with a scheme or host, in every spelling that browsers
 * accept: `//host`, `/\host`, tabs and line breaks inside.
 */
export const safeReturnTo = (text: string | undefined): string => {
  if (text === undefined || text.length > 2048 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(text)) return '/';
  return text.includes('\\') ? '/' : text;
};
