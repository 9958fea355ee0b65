// One person's browser in a test: its own cookies, and a list of everything that the browser complained about.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';

export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** Another tab of the same browser. */
  anotherTab(): Promise<Page>;
  /** What the browser wrote to its console, could not load or would not allow; of all tabs. */
  readonly complaints: readonly string[];
}

/** A refused page is an error to the browser too; the tests assert its status themselves. */
const isRefusedPage = (text: string): boolean =>
  /^Failed to load resource: the server responded with a status of (?:400|401|403|404|409|503) /.test(text);

const listen = (page: Page, complaints: string[]): void => {
  page.on('console', (message) => {
    if (isRefusedPage(message.text()) && message.location().url === page.url()) return;
    complaints.push(`${message.type()} on ${page.url()}: ${message.text()}`);
  });
  page.on('pageerror', (fault) => complaints.push(`script on ${page.url()}: ${fault.message}`));
  page.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
};

/** Waits are short: everything is on this machine. */
const patience = 10_000;

export const visit = async (browser: Browser, baseURL: string): Promise<Visit> => {
  const context = await browser.newContext({
    baseURL,
    viewport: { width: 1100, height: 800 },
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(patience);
  const complaints: string[] = [];
  context.on('page', (page) => listen(page, complaints));
  return {
    page: await context.newPage(),
    anotherTab: () => context.newPage(),
    complaints,
    [Symbol.asyncDispose]: () => context.close(),
  };
};

/** Violations of WCAG 2.2 A and AA that hinder people seriously, one line each. */
export const barriers = async (page: Page): Promise<readonly string[]> => {
  // Compiling it takes longer than running it, and it stays until the page is left.
  if (!(await page.evaluate<boolean>("typeof axe === 'object'"))) await page.evaluate(`${axe.source}; undefined`);
  const { violations } = (await page.evaluate(
    "axe.run({ resultTypes: ['violations'], preload: false })",
  )) as AxeResults;
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, help, nodes }) =>
        `${id}: ${help}: ${nodes
          .slice(0, 3)
          .map((node) => node.html)
          .join(' | ')}`,
    );
};

/** By how many pixels the page is wider than its window. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

const artifacts = join(import.meta.dirname, '../../artifacts');

export const picture = async (page: Page, name: string): Promise<void> => {
  mkdirSync(artifacts, { recursive: true });
  await page.screenshot({ path: join(artifacts, `${name}.png`), fullPage: true });
};
