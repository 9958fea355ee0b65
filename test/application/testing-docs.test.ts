// The example in docs/testing.md is the one that runs.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('docs/testing.md shows neighbour.test.ts as it is, which another test runs', () => {
  const text = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
  const [, example] = /```ts\n(.*?)```/s.exec(text('../../docs/testing.md')) ?? [];
  expect(example).toBe(text('./neighbour.test.ts'));
});
