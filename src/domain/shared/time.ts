// Two small words about moments.

export const earlier = (a: Date, b: Date): Date => (a < b ? a : b);

export const secondsAfter = (time: Date, seconds: number): Date => new Date(time.getTime() + seconds * 1000);
