// Numbers from runs: medians, percentiles, and a table of them.

export const median = (numbers: readonly number[]): number => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[middle - (sorted.length % 2 === 0 ? 1 : 0)] ?? 0, sorted[middle] ?? 0];
  return (low + high) / 2;
};

/** @param share such as 0.99 */
export const percentile = (numbers: readonly number[], share: number): number => {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
};

/** The median, and between which two values all others lay: `0.71 (0.68–0.74)`. */
export const spread = (numbers: readonly number[], digits = 2): string => {
  const low = Math.min(...numbers).toFixed(digits);
  const high = Math.max(...numbers).toFixed(digits);
  return `${median(numbers).toFixed(digits)} (${low}–${high})`;
};

/** Pair by pair, so that what slowed the machine down for a while slowed both down. */
export const ratios = (ours: readonly number[], theirs: readonly number[]): number[] =>
  ours.map((value, pair) => value / (theirs[pair] ?? Number.NaN));

export const print = (line: string): void => void process.stdout.write(`${line}\n`);

export const table = (heads: readonly string[], rows: readonly (readonly (string | number)[])[]): void => {
  print('');
  print(`| ${heads.join(' | ')} |`);
  print(`|${'---|'.repeat(heads.length)}`);
  for (const row of rows) print(`| ${row.join(' | ')} |`);
};

/** Every other time in reverse order: none of them always comes first. */
export const inTurn = <T>(all: readonly T[], round: number): readonly T[] => (round % 2 === 0 ? all : all.toReversed());
