// People with browsers: they sign in on the hosted page, work, leave, and are put out.

import { afterAll, describe, expect, it } from 'vitest';
import { createWorld } from '#bootstrap/testing.ts';
import { openBrowser } from '../support/browser.ts';
import { startService } from './running-service.ts';
import { type Visit, visit } from './visit.ts';

const browser = await openBrowser();
afterAll(() => browser?.close());

const signInButton = (page: Visit['page']) => page.getByRole('button', { name: 'Continue' });
const alertOf = (page: Visit['page']) => page.getByRole('alert').textContent();
const mainOf = (page: Visit['page']) => page.getByRole('main').textContent();

const signInByHand = async (page: Visit['page'], email: string, method: 'Single sign-on' | 'Password') => {
  await page.goto('/');
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel(method).check();
  await signInButton(page).click();
};

describe.skipIf(!browser)('the service as npm start runs it', () => {
  it('signs a person in, lands them in their organization, and refuses them after the directory has terminated them', async () => {
    if (!browser) return;
    await using service = await startService();
    await using dora = await visit(browser, service.url);
    const { page } = dora;

    const printed = /Sign in\s+(\S+)/.exec(service.welcome)?.[1] ?? '';
    await page.goto(printed);
    await expect.poll(() => page.getByLabel('E-mail address').inputValue()).toBe('dora.developer@acme.test');
    await signInButton(page).click();
    expect(new URL(page.url()).pathname).toBe('/');
    const home = await mainOf(page);
    expect(home).toContain('Dora Developer');
    expect(home).toMatch(/Organization\s*Acme/);
    expect(home).toMatch(/Role\s*developer/);

    const office = await dora.anotherTab();
    await office.goto('/fake-idp/directory');
    await office.getByRole('button', { name: 'Terminate Dora Developer' }).click();
    await expect.poll(() => office.getByRole('status').textContent()).toContain('dsync.user.deleted');
    // The page answers when the event is said; it still has to be delivered and applied.
    await expect
      .poll(async () => {
        await office.reload();
        return office.getByRole('status').textContent();
      })
      .toContain('delivered');

    await expect
      .poll(async () => {
        await page.goto('/');
        return page.getByRole('link', { name: 'Sign in' }).count();
      })
      .toBe(1);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByLabel('E-mail address').fill('dora.developer@acme.test');
    await signInButton(page).click();
    expect(await alertOf(page)).toContain('no longer has access');
    expect(dora.complaints).toEqual([]);
  });
});

describe.skipIf(!browser)('people with browsers', async () => {
  if (!browser) return;
  const world = await createWorld();
  afterAll(() => world.close());
  const open = (): Promise<Visit> => visit(browser, world.url);

  it('sign in by the e-mail alone: it leads to their organization and its single sign-on', async () => {
    await using anna = await open();
    await anna.page.goto('/auth/login?email=anna.analyst@acme.test');
    expect(await anna.page.getByRole('heading', { level: 1 }).textContent()).toBe('Sign in to Acme');
    expect(await anna.page.getByLabel('Single sign-on').isChecked()).toBe(true);
    await signInButton(anna.page).click();
    expect(await mainOf(anna.page)).toMatch(/Anna Analyst[\s\S]+Acme[\s\S]+analyst/);
    expect(anna.complaints).toEqual([]);
  });

  it('sign in by a password, with the keyboard alone', async () => {
    await using gus = await open();
    const { page } = gus;
    await page.goto('/auth/login?email=gus.owner@globex.test');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Sign in to Globex');
    await page.keyboard.press('Tab');
    await page.keyboard.type('gus.owner@globex.test');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${world.url}/`);
    expect(await mainOf(page)).toMatch(/Gus Owner[\s\S]+Globex[\s\S]+owner/);
    expect(gus.complaints).toEqual([]);
  });

  it('sign up with an address that nobody governs, and belong nowhere yet', async () => {
    await using newcomer = await open();
    await signInByHand(newcomer.page, 'nora@newcomer.test', 'Password');
    expect(await mainOf(newcomer.page)).toMatch(/nora@newcomer\.test[\s\S]+none yet/);
    expect(newcomer.complaints).toEqual([]);
  });

  it('pick themselves from the list', async () => {
    await using adam = await open();
    await adam.page.goto('/auth/login');
    await adam.page.getByRole('button', { name: 'Adam Admin' }).click();
    expect(await mainOf(adam.page)).toMatch(/Adam Admin[\s\S]+Acme[\s\S]+admin/);
  });

  const wrongChoices = [
    ['dora.developer@acme.test', 'Password', 'takes single sign-on only'],
    ['gus.owner@globex.test', 'Single sign-on', 'has no single sign-on'],
    ['nobody@nowhere.test', 'Single sign-on', 'Nobody with this address is known here'],
  ] as const;
  it.for(wrongChoices)(
    '%s with %s is told why not, and can try again on the same page',
    async ([email, method, words]) => {
      await using person = await open();
      await signInByHand(person.page, email, method);
      expect(await alertOf(person.page)).toContain(words);
      expect(await person.page.getByLabel('E-mail address').inputValue()).toBe(email);

      await person.page.getByLabel('E-mail address').fill('aldo.auditor@acme.test');
      await person.page.getByLabel('Single sign-on').check();
      await signInButton(person.page).click();
      expect(await mainOf(person.page)).toContain('Aldo Auditor');
      expect(person.complaints).toEqual([]);
    },
  );

  it('cancel, read that they are not signed in, and start over', async () => {
    await using person = await open();
    await person.page.goto('/auth/login');
    await person.page.getByRole('button', { name: 'Cancel' }).click();
    expect(await mainOf(person.page)).toContain('sign_in.denied');
    await person.page.getByRole('link', { name: 'Sign in again' }).click();
    expect(await person.page.getByRole('heading', { level: 1 }).textContent()).toBe('Sign in');
    expect(person.complaints).toEqual([]);
  });

  it('go back to a sign-in that is spent without seeing an error', async () => {
    await using olivia = await open();
    await olivia.page.goto('/auth/login?email=olivia.owner@acme.test');
    await signInButton(olivia.page).click();
    await olivia.page.waitForURL(`${world.url}/`);
    await olivia.page.goBack();
    await signInButton(olivia.page).click();
    // The sign-in under way was used up: a fresh one has begun.
    expect(new URL(olivia.page.url()).pathname).toBe('/fake-idp/authorize');
    expect(olivia.complaints).toEqual([]);
  });

  it('switch to another organization by its link', async () => {
    await using carla = await open();
    await carla.page.goto('/auth/login?email=carla@consult.test');
    await carla.page.getByRole('button', { name: /Carla Consultant.*single sign-on/ }).click();
    expect(await mainOf(carla.page)).toMatch(/Organization\s*Acme\s*Role\s*analyst/);
    await carla.page.getByRole('link', { name: 'Globex' }).click();
    await carla.page.getByRole('button', { name: 'Carla Consultant' }).click();
    expect(await mainOf(carla.page)).toMatch(/Organization\s*Globex\s*Role\s*developer/);
    expect(carla.complaints).toEqual([]);
  });

  it('sign out by the button, and the session that they had is worth nothing to whoever copied it', async () => {
    await using olivia = await open();
    const { page } = olivia;
    await page.goto('/auth/login?email=olivia.owner@acme.test');
    await signInButton(page).click();
    await page.waitForURL(`${world.url}/`);
    const copied = await page.context().cookies();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Sign in' }).waitFor();
    expect(await page.context().cookies()).toEqual([]);

    await page.context().addCookies(copied);
    await page.goto('/');
    expect(await page.getByRole('link', { name: 'Sign in' }).count()).toBe(1);
    expect(olivia.complaints).toEqual([]);
  });

  it('are refused in every browser when the directory terminates them in one, and others stay', async () => {
    await using laptop = await open();
    await using phone = await open();
    await using colleague = await open();
    for (const [{ page }, email] of [
      [laptop, 'dora.developer@acme.test'],
      [phone, 'dora.developer@acme.test'],
      [colleague, 'anna.analyst@acme.test'],
    ] as const) {
      await page.goto(`/auth/login?email=${email}`);
      await signInButton(page).click();
      await page.waitForURL(`${world.url}/`);
    }
    const office = await laptop.anotherTab();
    await office.goto('/fake-idp/directory');
    await office.getByRole('button', { name: 'Terminate Dora Developer' }).click();
    await office.getByRole('status').waitFor();
    await world.settle();

    for (const { page } of [laptop, phone]) {
      await page.getByRole('link', { name: 'Who am I' }).click();
      expect(await page.locator('body').textContent()).toContain('session.ended');
      await page.goto('/');
      expect(await page.getByRole('link', { name: 'Sign in' }).count()).toBe(1);
    }
    await colleague.page.reload();
    expect(await mainOf(colleague.page)).toContain('Anna Analyst');
    for (const { complaints } of [laptop, phone, colleague]) expect(complaints).toEqual([]);
  });
});
