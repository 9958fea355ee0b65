// All values of a header that came several times. Node's own list of them reads every header of the request into a map first.

/** @param name lower case */
export const valuesOf = (rawHeaders: readonly string[], name: string): readonly string[] => {
  const values: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const value = rawHeaders[at + 1];
    if (value !== undefined && rawHeaders[at]?.length === name.length && rawHeaders[at]?.toLowerCase() === name) {
      values.push(value);
    }
  }
  return values;
};
