/**
 * Goal: a person can watch in a browser that copies arrive and are not billed, with a mouse, a
 * keyboard or a phone, and nothing that a device sends is more than text there. Method: Debian's
 * Chromium on the real console of a local cloud.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startConsole } from '../../../local/console/console.ts';
import { createEventFeed } from '../../../local/feed.ts';
import config from '../../../tollbridge.config.ts';
import { connectThing } from '../../../tools/mqtt/thing.ts';
import { type ConsoleBench, startConsoleBench } from '../console-fixture.ts';
import {
  audit,
  browserIsMissing,
  keepPicture,
  keepReadmePicture,
  launch,
  openPage,
} from './chromium.ts';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;
const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '"><script>alert(2)</script>',
  '\u202etxt.exe\u2066',
  '{{constructor.constructor("alert(3)")()}}',
  'javascript:alert(4)',
] as const;

describe.skipIf(browserIsMissing())('the console in a browser', () => {
  let bench: ConsoleBench;
  let browser: Browser;
  const unlocked = () => `${bench.console.url}#token=${bench.console.token}`;
  const at = new Date().toISOString();
  const body = (id: string, kWh: string, account = 'acme') =>
    JSON.stringify({ id, account, kWh, at });

  beforeAll(async () => {
    bench = await startConsoleBench(config);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await bench?.close();
  });

  it('loads without an error, a warning or a request beyond its origin, and shows deliveries as they happen', async () => {
    const { page, complaints } = await openPage(browser, bench.console.url);
    const thing = await connectThing(bench.bridge.port, 'meter-1');
    for (const kWh of ['1.25', '1.25', '9.99']) {
      await thing.publish('billing/meter-1/charges', body('a-1', kWh));
      await thing.nextReceipts();
    }
    await thing.end();
    await page.locator('#stream tr').nth(2).waitFor();
    await page.locator('#stream tr .badge[data-verdict=conflict]').waitFor();
    const verdicts = await page.locator('#stream tr .badge').allTextContents();
    expect(verdicts).toEqual(['conflict', 'duplicate', 'accepted']);
    expect(await page.locator('#count-duplicate').textContent()).toBe('1');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('is read-only until the token is given, and forgets a wrong one', async () => {
    const { page } = await openPage(browser, bench.console.url);
    expect(await page.locator('#fault-duplicate').isDisabled()).toBe(true);
    expect(await page.locator('#fleet-start').isDisabled()).toBe(true);
    await page.locator('#token').fill('a wrong one');
    await page.locator('#unlock').click();
    await page.getByText('This is not the token of this start.').waitFor();
    expect(await page.locator('#fault-duplicate').isDisabled()).toBe(true);
    await page.locator('#token').fill(bench.console.token);
    await page.keyboard.press('Enter');
    await page.locator('#unlocked').waitFor();
    await page.locator('#fault-throttle').check();
    await expect.poll(() => bench.bridge.cloud.faults.throttle).toBe(0.05);
    await page.locator('#faults-off').click();
    await expect.poll(() => bench.bridge.cloud.faults.throttle).toBe(0);
    await page.context().close();
  });

  it('takes the token from the fragment, and leaves it neither in the address nor in another tab', async () => {
    const { page } = await openPage(browser, unlocked());
    await page.locator('#unlocked').waitFor();
    expect(page.url()).toBe(bench.console.url);
    expect(await page.evaluate('document.cookie + JSON.stringify(localStorage)')).toBe('{}');
    await page.context().close();
  });

  it('lets a person watch copies arrive and not be billed', async () => {
    const { page, complaints } = await openPage(browser, unlocked());
    await page.locator('#unlocked').waitFor();
    await page.locator('#fault-duplicate').check();
    await page.locator('#fault-drop').check();
    await page.locator('#fleet-rate').fill('20');
    await page.locator('#cuts-on').check();
    await page.locator('#fleet-start').click();
    const figure = async (name: string) =>
      Number((await page.locator(`#n-${name}`).textContent())?.replaceAll(',', '') || 'NaN');
    await expect.poll(() => figure('copies'), { timeout: 40_000 }).toBeGreaterThan(30);
    await page.locator('#conflict').click();
    await keepPicture(page, 'live-light');
    await keepReadmePicture(page);
    await page.locator('#faults-off').click();
    await page.locator('#cuts-on').uncheck();
    await page.locator('#fleet-stop').click();
    await page
      .getByText('every charge is booked exactly once, to the last digit.')
      .waitFor({ timeout: 50_000 });
    await expect
      .poll(() => page.locator('#fleet-line').textContent(), { timeout: 50_000 })
      .toContain('has ended');
    // All at once: a copy may still arrive between two readings.
    const [meant = 0, deliveries = 0, copies = 0, booked = 0, twice = 0] = await page.evaluate<
      number[]
    >(
      "[...document.querySelectorAll('#figures dd')].map((dd) => Number(dd.textContent.replaceAll(',', '')))",
    );
    expect({ booked, twice, deliveries }).toEqual({
      booked: meant,
      twice: 0,
      deliveries: meant + copies,
    });
    expect(meant).toBeGreaterThan(10);
    expect(complaints).toEqual([]);
    await page.context().close();
  }, 120_000);

  it('shows both bodies of a conflict side by side, with the differing field marked', async () => {
    const { page } = await openPage(browser, bench.console.url);
    await page.getByRole('tab', { name: 'Quarantine' }).click();
    await page.locator('#quarantine-rows tr', { hasText: 'meter-1' }).getByRole('button').click();
    const row = page.locator('.compare tr.different');
    await row.waitFor();
    expect(await row.allInnerTexts()).toEqual([
      expect.stringMatching(/kWh differs\s+"1.25"\s+"9.99"/),
    ]);
    await keepPicture(page, 'quarantine-light');
    await page.getByRole('button', { name: 'The life of this message' }).click();
    await page.locator('#timeline li[data-kind=quarantine]').waitFor();
    expect(await page.locator('#timeline li[data-kind=delivery]').count()).toBe(3);
    await keepPicture(page, 'message-light');
    await page.context().close();
  });

  it('adds the ledger up in exact decimals', async () => {
    const thing = await connectThing(bench.bridge.port, 'meter-sum');
    for (const [id, kWh] of [
      ['s-1', '0.1'],
      ['s-2', '0.2'],
      ['s-3', '12345678901234567.000000000000001'],
    ] as const) {
      await thing.publish('billing/meter-sum/charges', body(id, kWh));
      await thing.nextReceipts();
    }
    await thing.end();
    const { page } = await openPage(browser, bench.console.url);
    await page.getByRole('tab', { name: 'Ledger' }).click();
    await rowsOf(page, 'meter-sum');
    await page
      .locator('#ledger-totals td', { hasText: '12,345,678,901,234,567.300000000000001' })
      .waitFor();
    expect(await page.locator('#ledger-rows tr').count()).toBe(3);
    await keepPicture(page, 'ledger-light');
    await page.context().close();
  });

  it('shows hostile values as text: no dialog, no element, no request', async () => {
    const { page, complaints } = await openPage(browser, bench.console.url);
    const thing = await connectThing(bench.bridge.port, 'meter-evil');
    for (const text of HOSTILE) {
      for (const kWh of ['1', '2']) {
        const account = `${text}${'A'.repeat(800)}`;
        await thing.publish('billing/meter-evil/charges', body(text, kWh, account));
        await thing.nextReceipts();
      }
    }
    await thing.publish('billing/meter-evil/charges', Buffer.alloc(90_000, 0));
    await thing.nextReceipts();
    await thing.publish('billing/meter-evil/charges', `{"<b>":"${'Z'.repeat(80_000)}"}`);
    await thing.nextReceipts();
    await thing.end();
    await page.locator('#stream tr', { hasText: 'meter-evil' }).nth(11).waitFor();
    expect(await page.locator('#stream').textContent()).toContain(HOSTILE[0]);
    expect(await page.locator('#stream').textContent()).not.toContain('\u202e');
    await page.getByRole('tab', { name: 'Ledger' }).click();
    await rowsOf(page, 'meter-evil');
    await page.locator('#ledger-rows button', { hasText: HOSTILE[0] }).click();
    await page.locator('#row dd', { hasText: 'onerror' }).first().waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('tab', { name: 'Quarantine' }).click();
    const rows = page.locator('#quarantine-rows tr', { hasText: 'meter-evil' });
    await rows.first().waitFor();
    for (let index = 0; index < (await rows.count()); index += 1) {
      await rows.nth(index).getByRole('button').click();
      await page.locator('.conflict').waitFor();
    }
    const injected = await page.evaluate(
      `document.querySelectorAll('img, b, iframe, object, script:not([src="/app.js"])').length`,
    );
    expect(injected).toBe(0);
    expect(complaints).toEqual([]);
    expect(await audit<number>(page, 'overflow')).toBe(0);
    await page.context().close();
  });

  it('is used by keyboard alone, and shows where the focus is', async () => {
    const { page } = await openPage(browser, unlocked());
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the views');
    await page.keyboard.press('Tab');
    const focused = () => page.evaluate('document.activeElement.id');
    expect(await focused()).toBe('tab-live');
    const outline = await page.evaluate(
      '(({ outlineStyle, outlineWidth }) => `${outlineStyle} ${outlineWidth}`)(getComputedStyle(document.activeElement))',
    );
    expect(outline).toBe('solid 2px');
    await page.keyboard.press('ArrowRight');
    expect(await focused()).toBe('tab-ledger');
    expect(await page.locator('#view-ledger').isVisible()).toBe(true);
    await page.keyboard.press('End');
    expect(await focused()).toBe('tab-notes');
    await page.keyboard.press('Home');
    await page.locator('#stream button').first().focus();
    await page.keyboard.press('Enter');
    await page.locator('#message[open]').waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('#message[open]').count()).toBe(0);
    expect(await page.evaluate('document.activeElement.closest("#stream") !== null')).toBe(true);
    await page.locator('#fault-reorder').focus();
    await page.keyboard.press('Space');
    await expect.poll(() => bench.bridge.cloud.faults.reorder).toBe(0.2);
    await page.keyboard.press('Space');
    await expect.poll(() => bench.bridge.cloud.faults.reorder).toBe(0);
    await page.context().close();
  });

  it.each(['light', 'dark'] as const)('has names and contrast in %s', async (colorScheme) => {
    const { page } = await openPage(browser, unlocked(), { colorScheme });
    await page.locator('#unlocked').waitFor();
    for (const name of ['Live', 'Ledger', 'Quarantine', 'Faults']) {
      await page.getByRole('tab', { name }).click();
      await page.mouse.move(0, 0);
      if (name === 'Quarantine') {
        await page.locator('#quarantine-rows button').first().click();
        await page.locator('.compare, .conflict').first().waitFor();
      }
      expect(await audit(page, 'nameFaults')).toEqual([]);
      expect(await audit(page, 'contrastFaults')).toEqual([]);
      await keepPicture(page, `${name.toLowerCase()}-${colorScheme}-whole`, true);
    }
    await page.context().close();
  });

  it('fits a phone: nothing to scroll sideways, nothing too small for a finger', async () => {
    const { page } = await openPage(browser, unlocked(), { ...PHONE, colorScheme: 'dark' });
    await page.locator('#unlocked').waitFor();
    for (const name of ['Live', 'Ledger', 'Quarantine', 'Faults']) {
      await page.getByRole('tab', { name }).click();
      if (name === 'Quarantine') {
        await page.locator('#quarantine-rows button').first().click();
        await page.locator('.conflict').waitFor();
      }
      expect([name, await audit<number>(page, 'overflow')]).toEqual([name, 0]);
      expect(await audit(page, 'smallTargets')).toEqual([]);
      await keepPicture(page, `phone-${name.toLowerCase()}`, true);
    }
    await page.context().close();
  });

  it('says when the stream has ended, and comes back by itself', async () => {
    const other = await startConsole({
      port: 0,
      cloud: bench.bridge.cloud,
      feed: createEventFeed(() => undefined),
      assembly: bench.assembly,
      brokerHost: undefined,
      seed: 1,
    });
    const { page } = await openPage(browser, other.url);
    await page
      .getByText('The fleet connects to the embedded broker only')
      .waitFor({ state: 'attached' });
    await other.close();
    await page.locator('#connection[data-state=lost]').waitFor();
    const again = await startConsole({
      port: other.port,
      cloud: bench.bridge.cloud,
      feed: createEventFeed(() => undefined),
      assembly: bench.assembly,
      brokerHost: undefined,
      seed: 1,
    });
    await page.locator('#connection[data-state=open]').waitFor();
    await page.context().close();
    await again.close();
  });
});

/** Asks the ledger for the rows of a device, as a person does. */
async function rowsOf(page: Page, device: string): Promise<void> {
  await page.locator('#ledger-kind').selectOption('device');
  await page.locator('#ledger-device').fill(device);
  await page.keyboard.press('Enter');
}
