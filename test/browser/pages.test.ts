// Every page that people see, looked at by axe and by a browser that complains: readable in light and dark, on a phone and on a desk.

import { afterAll, describe, expect, it } from 'vitest';
import { createWorld } from '#bootstrap/testing.ts';
import { openBrowser } from '../support/browser.ts';
import { barriers, overflow, picture, type Visit, visit } from './visit.ts';

const browser = await openBrowser();
afterAll(() => browser?.close());

type Walk = (page: Visit['page']) => Promise<unknown>;

const openDetails: Walk = (page) =>
  page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
const refuse: Walk = async (page) => {
  await page.goto('/auth/login?email=gus.owner@globex.test');
  await page.getByLabel('Single sign-on').check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('alert').waitFor();
};
const signInAs =
  (email: string): Walk =>
  async (page) => {
    await page.goto(`/auth/login?email=${email}`);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
  };

const looks = [
  ['desk-light', 1100, 'light'],
  ['phone-dark', 360, 'dark'],
] as const;

/** How to get to each page. None of these walks changes what another one sees. */
const walks: Readonly<Record<string, Walk>> = {
  'home-signed-out': (page) => page.goto('/'),
  'home-signed-in': signInAs('adam.admin@acme.test'),
  'home-two-organizations': async (page) => {
    await page.goto('/auth/login?email=carla@consult.test');
    await page.getByRole('button', { name: /Carla Consultant.*single sign-on/ }).click();
    await page.getByRole('heading', { name: 'Go to another organization' }).waitFor();
  },
  'home-without-organization': async (page) => {
    await page.goto('/auth/login?email=nora@newcomer.test');
    await page.getByLabel('Password').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
  },
  'sign-in': (page) => page.goto('/auth/login'),
  'sign-in-to-acme': (page) => page.goto('/auth/login?email=dora.developer@acme.test'),
  'sign-in-refused': refuse,
  'sign-in-broken-request': (page) => page.goto('/fake-idp/authorize'),
  directory: (page) => page.goto('/fake-idp/directory'),
  'directory-open': async (page) => {
    await page.goto('/fake-idp/directory');
    await openDetails(page);
  },
  'directory-refused': async (page) => {
    await page.goto('/fake-idp/directory');
    await page.getByText('Hire somebody').click();
    await page.getByRole('textbox', { name: 'Name', exact: true }).last().waitFor();
    const form = page.locator('form[action$="/hire"]');
    await form.getByLabel('Name').fill('Dora Again');
    await form.getByLabel('E-mail address').fill('dora.developer@acme.test');
    await form.getByRole('button', { name: 'Hire' }).click();
    await page.getByRole('alert').waitFor();
  },
  mailbox: (page) => page.goto('/fake-idp/mailbox'),
  'invitation-accept': async (page) => {
    await page.goto('/fake-idp/mailbox');
    await page.getByRole('link', { name: 'Accept the invitation' }).click();
    await page.getByRole('heading', { name: 'Accept the invitation to Globex' }).waitFor();
  },
  docs: (page) => page.goto('/docs'),
  'refused-cancelled': (page) => page.goto('/auth/callback?error=access_denied&state=x'),
  'refused-nothing-here': (page) => page.goto('/nowhere'),
};

describe.skipIf(!browser)('pages', { timeout: 60_000 }, async () => {
  if (!browser) return;
  const world = await createWorld();
  afterAll(() => world.close());
  const owner = await world.signIn('gus.owner@globex.test');
  const guest = { email: 'nina.with.a.rather.long.name@elsewhere.test', role: 'analyst' };
  await owner.post(`/v1/organizations/${world.globex}/invitations`, guest);
  await world.settle();

  it.for(Object.entries(walks))(
    '%s is for everybody, at a desk in light and on a phone in dark',
    async ([name, walk]) => {
      await using person = await visit(browser, world.url);
      const { page, complaints } = person;
      await walk(page);
      for (const [look, width, colorScheme] of looks) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        await picture(page, `${name}-${look}`);
        expect({ look, barriers: await barriers(page) }).toEqual({ look, barriers: [] });
        expect({ look, overflow: await overflow(page) }).toEqual({ look, overflow: 0 });
        expect({ look, complaints }).toEqual({ look, complaints: [] });
      }
    },
  );

  it('the API’s documentation opens every operation and has no link that leads nowhere', async () => {
    await using reader = await visit(browser, world.url);
    await reader.page.goto('/docs');
    await openDetails(reader.page);
    const dangling = await reader.page.evaluate<string[]>(
      "[...document.querySelectorAll('a[href^=\"#\"]')].map((a) => a.getAttribute('href').slice(1)).filter((id) => !document.getElementById(id))",
    );
    expect([...new Set(dangling)]).toEqual([]);
    expect(await reader.page.getByText('/v1/whoami').count()).toBeGreaterThan(0);
  });
});
