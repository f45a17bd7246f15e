import { existsSync } from 'node:fs'
import { type Browser, type Page, chromium } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type TestApp, startApp } from '../helpers/app.ts'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
if (executablePath === undefined) process.stderr.write('Skipped: no Chromium is installed, so the pages of the docs are not opened\n')

const args = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
]

describe.skipIf(executablePath === undefined)('in a browser', () => {
  let service: TestApp
  let browser: Browser
  let page: Page
  /** What a person would see in red in the developer tools, and what left for another host. */
  let trouble: string[]

  beforeAll(async () => {
    service = await startApp({}, { MODELS_DIR: 'models' })
    browser = await chromium.launch({ executablePath: executablePath as string, args })
  })
  afterAll(async () => {
    await browser?.close()
    await service?.close()
  })

  async function open (path: string): Promise<void> {
    page = await browser.newPage({ viewport: { width: 1400, height: 1000 } })
    trouble = []
    page.on('console', message => { if (['error', 'warning'].includes(message.type())) trouble.push(message.text()) })
    page.on('pageerror', error => { trouble.push(String(error)) })
    page.on('requestfailed', request => { trouble.push(`failed: ${request.url()}`) })
    page.on('request', request => {
      const { protocol, origin } = new URL(request.url())
      if (protocol !== 'data:' && origin !== service.url) trouble.push(`elsewhere: ${request.url()}`)
    })
    await page.goto(service.url + path)
  }
  afterEach(async () => { await page.close() })

  async function authorize (): Promise<void> {
    await page.getByRole('button', { name: 'Authorize' }).click()
    const dialog = page.locator('.modal-ux')
    await dialog.locator('input').fill(service.token)
    await dialog.getByRole('button', { name: 'Apply credentials' }).click()
    await dialog.getByRole('button', { name: 'Close' }).click()
  }

  test.each(['application/json', 'text/csv', 'application/x-ndjson'])('Swagger UI predicts with the %s body that it opens with', async type => {
    await open('/docs')
    await authorize()
    const operation = page.locator('.opblock').first()
    expect(await operation.locator('.opblock-summary-path').innerText()).toMatch(/^\/predict/)
    await operation.locator('.opblock-summary-control').click()
    await operation.locator('.opblock-section-request-body select.content-type').selectOption(type)
    await operation.getByRole('button', { name: 'Execute' }).click()
    const answer = operation.locator('.live-responses-table tbody tr').first()
    expect(await answer.locator('.response-col_status').innerText()).toMatch(/^200/)
    expect(await answer.locator('.response-col_description').innerText()).toContain('"class_name": "setosa"')
    expect(trouble).toEqual([])
  })

  test('Swagger UI keeps the token when the page is loaded again', async () => {
    await open('/docs/')
    await authorize()
    await page.reload()
    await page.locator('.authorize.locked, .authorize .locked').first().waitFor()
    expect(trouble).toEqual([])
  })

  test('ReDoc shows the features of the models, and finds them', async () => {
    await open('/redoc')
    await page.locator('td', { hasText: 'sepal_length' }).first().waitFor()
    expect(await page.locator('h1', { hasText: 'modelport' }).count()).toBe(1)
    await page.getByPlaceholder('Search...').fill('penguins')
    await page.locator('[data-role="search:results"] li', { hasText: 'penguins' }).first().waitFor()
    expect(trouble).toEqual([])
  })
})
