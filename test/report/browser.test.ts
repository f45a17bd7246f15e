import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { modelport } from '../cli/modelport.ts'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
if (executablePath === undefined) process.stderr.write('Skipped: no Chromium is installed, so no report is opened\n')

const args = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
]

const reports: Record<string, string[]> = {
  classification: ['penguins'],
  regression: ['mpg'],
  comparison: ['--compare', 'iris', 'penguins'],
}

describe.skipIf(executablePath === undefined)('in a browser', () => {
  let browser: Browser
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'modelport-report-'))
    const env = { MODELS_DIR: resolve(import.meta.dirname, '../../models') }
    for (const [name, what] of Object.entries(reports)) await modelport(['report', ...what, '--out', join(folder, `${name}.html`)], { env })
    browser = await chromium.launch({ executablePath: executablePath as string, args })
  })
  afterAll(async () => {
    await browser?.close()
    await rm(folder, { recursive: true })
  })

  test.each(Object.keys(reports).flatMap(name => [[name, 390], [name, 1280]] as const))('the page of a %s at %d px asks for nothing, has no error and fits', async (name, width) => {
    const page = await browser.newPage({ viewport: { width, height: 900 } })
    const trouble: string[] = []
    const address = pathToFileURL(join(folder, `${name}.html`)).href
    page.on('console', message => { trouble.push(message.text()) })
    page.on('pageerror', error => { trouble.push(String(error)) })
    page.on('request', request => { if (request.url() !== address && request.url() !== 'data:,') trouble.push(request.url()) })
    await page.goto(address)
    expect(trouble).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    // The style sheet is let in by the page's own policy.
    expect(await page.evaluate('getComputedStyle(document.querySelector("h1")).fontSize')).toBe('28px')
    expect(await page.locator('svg').count()).toBeGreaterThan(3)
    await page.close()
  })

  test.each(Object.keys(reports))('the page of a %s on paper is light, fits, and has what was folded in', async name => {
    // A4 less its margins.
    const page = await browser.newPage({ viewport: { width: 680, height: 1009 }, colorScheme: 'dark' })
    await page.goto(pathToFileURL(join(folder, `${name}.html`)).href)
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(18, 22, 29)')
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(680)
    // Nothing is wider than what it stands in: on paper nobody can scroll.
    expect(await page.evaluate('Array.from(document.querySelectorAll(".scroll"), box => box.scrollWidth - box.clientWidth).filter(pixels => pixels > 1)')).toEqual([])
    expect(await page.evaluate('Array.from(document.querySelectorAll("details table"), table => table.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true })).every(Boolean)')).toBe(true)
    expect(await page.evaluate('Array.from(document.querySelectorAll(".pair"), pair => getComputedStyle(pair).gridTemplateColumns.split(" ").length).every(columns => columns === 2)')).toBe(true)
    await page.close()
  })
})
