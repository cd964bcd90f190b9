/** Debian's Chromium, driven by playwright-core; one browser for a file, a fresh context for a test. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { installed } from '../../../tools/programs.ts';

const AUDIT = fileURLToPath(new URL('audit-page.js', import.meta.url));
const ARTIFACTS = fileURLToPath(new URL('../../artifacts', import.meta.url));
const README_PICTURE = fileURLToPath(new URL('../../../docs/images/console.png', import.meta.url));

/** Where the browser is: CHROMIUM_PATH, or as Debian and others install it. */
function chromiumPath(): string | undefined {
  const named = process.env.CHROMIUM_PATH;
  if (named !== undefined && named !== '') return existsSync(named) ? named : undefined;
  return ['chromium', 'chromium-browser', 'google-chrome'].map(installed).find(Boolean);
}

/**
 * Says why tests are skipped, and whether they are.
 * @throws Error in CI, where the browser has to be there
 */
export function browserIsMissing(): boolean {
  if (chromiumPath() !== undefined) return false;
  const reason =
    'no Chromium is installed (Debian: apt-get install chromium; or set CHROMIUM_PATH)';
  if (process.env.CI === 'true') throw new Error(`${reason}, and CI=true: not skipped`);
  process.stderr.write(`skipped: ${reason}\n`);
  return true;
}

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath() ?? 'chromium',
    // Its sandbox needs rights that root in a container lacks; it only ever opens our own page.
    args: ['--no-sandbox', '--disable-background-networking'],
  });
}

export interface WatchedPage {
  readonly page: Page;
  /** Errors of the console and the page, dialogs, and requests that left the page's origin. */
  readonly complaints: string[];
}

/** Opens an address in a context of its own, and watches what the page does. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  const page = await context.newPage();
  await page.addInitScript({ path: AUDIT });
  const complaints: string[] = [];
  const { origin } = new URL(url);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      complaints.push(`${message.type()}: ${message.text()}`);
    }
  });
  page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) complaints.push(`request: ${request.url()}`);
  });
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  await page.locator('#connection[data-state=open]').waitFor();
  return { page, complaints };
}

/** Keeps what the page looks like, for a person. */
export async function keepPicture(page: Page, name: string, fullPage = false): Promise<void> {
  mkdirSync(ARTIFACTS, { recursive: true });
  await page.screenshot({ path: join(ARTIFACTS, `${name}.png`), fullPage });
}

/** The picture that README shows; written anew where a run is told to write documents. */
export async function keepReadmePicture(page: Page): Promise<void> {
  if (process.env.TOLLBRIDGE_WRITE_DOCS !== '1') return;
  await page.screenshot({ path: README_PICTURE });
}

/** What a check of `audit-page.js` finds in the page as it is. */
export function audit<Found = readonly string[]>(
  page: Page,
  check: 'nameFaults' | 'contrastFaults' | 'overflow' | 'smallTargets',
): Promise<Found> {
  return page.evaluate<Found>(`audit.${check}()`);
}
